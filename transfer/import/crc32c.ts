const POLYNOMIAL = 0x82f63b78;
/** Bytes of one step. */
const SLICES = 8;

const tables = ((): readonly Uint32Array[] => {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  const all = [first];
  for (let slice = 1; slice < SLICES; slice++) {
    const before = all[slice - 1] as Uint32Array;
    all.push(before.map((crc) => (crc >>> 8) ^ (first[crc & 255] as number)));
  }
  return all;
})();

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as unknown as readonly [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** CRC-32 with the polynomial of Castagnoli, which Node does not have. */
export const crc32c = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  let at = 0;
  const at8 = (table: Uint32Array, byte: number): number => table[byte & 255] as number;
  for (const end = bytes.length - SLICES; at <= end; at += SLICES) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      at8(t7, crc) ^
      at8(t6, crc >>> 8) ^
      at8(t5, crc >>> 16) ^
      at8(t4, crc >>> 24) ^
      at8(t3, bytes[at + 4] as number) ^
      at8(t2, bytes[at + 5] as number) ^
      at8(t1, bytes[at + 6] as number) ^
      at8(t0, bytes[at + 7] as number);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ at8(t0, crc ^ (bytes[at] as number));
  return (crc ^ 0xffffffff) >>> 0;
};
