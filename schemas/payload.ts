import { isDeeperThan, MAX_STORED_DEPTH } from './json-depth.js';
import { layOut } from './json-layout.js';

/**
 * The form of a payload: `json`; `deep`, JSON that is nested deeper than most programs can read; `text`, UTF-8 that
 * is not JSON; `base64`, bytes that are not UTF-8; `empty`.
 */
export const PAYLOAD_FORMS = ['json', 'deep', 'text', 'base64', 'empty'] as const;
/** The form of a payload: JSON, JSON that is too deep to read, text, bytes in base64, or empty. */
export type PayloadForm = (typeof PAYLOAD_FORMS)[number];

interface Read {
  readonly form: PayloadForm;
  /** The stored payload; base64 if it is not text. */
  readonly text: string;
}

// A byte order mark is a part of the stored bytes.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const toBase64 = (bytes: Uint8Array): string => {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const read = (bytes: Uint8Array): Read => {
  if (bytes.length === 0) return { form: 'empty', text: '' };
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { form: 'base64', text: toBase64(bytes) };
  }
  if (!isJson(text)) return { form: 'text', text };
  return { form: isDeeperThan(bytes, MAX_STORED_DEPTH) ? 'deep' : 'json', text };
};

/**
 * A stored payload. Everything shown of it is a slice of its bytes: parsing and writing would change 9007199254740993
 * to another number, and would drop duplicated keys. Nothing here is recursive, so no depth is too deep.
 */
export class Payload {
  #read: Read | undefined;

  constructor(readonly bytes: Uint8Array) {}

  get form(): PayloadForm {
    return this.#known.form;
  }

  /**
   * JSON on one line, for programs. If `form` is `json`, it is the stored text without blanks between its parts.
   * `null` for an empty payload. Otherwise it is a JSON string with the stored text, in base64 if that is not text.
   */
  get json(): string {
    const { form, text } = this.#known;
    if (form === 'json') return layOut(text, false);
    return form === 'empty' ? 'null' : JSON.stringify(text);
  }

  /** For people, on one line or several: the stored text, and before it its form if it is not JSON. */
  shown(onLines = false): string {
    const { form, text } = this.#known;
    switch (form) {
      case 'json':
      case 'deep':
        return layOut(text, onLines);
      case 'text':
        return `(text) ${JSON.stringify(text)}`;
      case 'base64':
        return `(base64) ${text}`;
      case 'empty':
        return '(empty)';
    }
  }

  /**
   * The value that a program computes with: numbers of JavaScript, and the last of duplicated keys. If `form` is not
   * `json`, it is a string with the stored text; null if the form is `empty`.
   */
  get value(): unknown {
    const { form, text } = this.#known;
    if (form === 'empty') return null;
    return form === 'json' ? JSON.parse(text) : text;
  }

  get #known(): Read {
    this.#read ??= read(this.bytes);
    return this.#read;
  }
}
