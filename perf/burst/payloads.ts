/** Makes the payload of each record: who sends it, its number, and what it takes to be of the size. */
export const payloads = (producer: number, size: number): ((n: number) => Uint8Array) => {
  const head = `{"p":${producer},"n":`;
  const least = Buffer.byteLength(`${head}0}`);
  const pad = (n: number): string => {
    const room = size - least - String(n).length + 1 - ',"pad":""'.length;
    return room > 0 ? `,"pad":"${'x'.repeat(room)}"` : '';
  };
  let [digits, tail] = [0, ''];
  return (n) => {
    const text = String(n);
    if (text.length !== digits) [digits, tail] = [text.length, `${pad(n)}}`];
    return Buffer.from(`${head}${text}${tail}`, 'latin1');
  };
};
