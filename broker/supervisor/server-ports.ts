const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'ws:': 80, 'wss:': 443 };
const NATS_PORT = 4222;
/** Long answers of a name server come over TCP. */
const NAMES_PORT = 53;

const isAddress = (host: string): boolean => /^[\d.]+$|^\[/.test(host);

const portsOf = (text: string): readonly number[] => {
  const { port, protocol, hostname } = new URL(text);
  const own = port === '' ? (DEFAULT_PORTS[protocol] ?? NATS_PORT) : Number(port);
  return isAddress(hostname) ? [own] : [own, NAMES_PORT];
};

/** The TCP ports that a process needs to reach the server: `nats://a:4222`, or several with commas. */
export const serverPorts = (urls: string): readonly number[] => [
  ...new Set(urls.split(',').flatMap((url) => portsOf(url.trim()))),
];
