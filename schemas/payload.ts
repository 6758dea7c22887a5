import { isDeeperThan, MAX_STORED_DEPTH } from './json-depth.js';
import { layOut } from './json-layout.js';

/**
 * What a payload is: `json`; `deep`, which is JSON that is nested deeper than most programs read; `text`, UTF-8 that is no JSON;
 * `base64`, bytes that are no UTF-8; `empty`.
 */
export const PAYLOAD_FORMS = ['json', 'deep', 'text', 'base64', 'empty'] as const;
export type PayloadForm = (typeof PAYLOAD_FORMS)[number];

interface Read {
  readonly form: PayloadForm;
  /** As it was stored; base64 where that is no text. */
  readonly text: string;
}

// A byte order mark is a part of what was stored.
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
 * A payload as it was stored. What is shown of it is a slice of its bytes: parsed and written again, 9007199254740993 is another
 * number, and of a key that is there twice one is gone. Nothing here calls itself, so no depth is too deep.
 */
export class Payload {
  #read: Read | undefined;

  constructor(readonly bytes: Uint8Array) {}

  get form(): PayloadForm {
    return this.#known.form;
  }

  /**
   * JSON on one line, for programs: what was stored, without the blanks between its parts, where `form` is `json`; else a text with
   * what was stored, base64 where that is no text; `null` for an empty payload.
   */
  get json(): string {
    const { form, text } = this.#known;
    if (form === 'json') return layOut(text, false);
    return form === 'empty' ? 'null' : JSON.stringify(text);
  }

  /** For people, on one line or on several: what was stored, and a word before it where it is no JSON. */
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
   * What a program computes with: numbers are those of JavaScript, and of a key that is there twice the last one counts. A text
   * with what was stored where `form` is not `json`, null where it is `empty`.
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
