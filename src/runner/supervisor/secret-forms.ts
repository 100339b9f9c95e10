/**
 * The spellings in which a secret value turns up in output: raw, base64, URL-encoded, JSON-escaped.
 */

/** Below this an encoded spelling is no evidence of the secret, and hiding it would only spoil the log. */
const LEAST_ENCODED_LENGTH = 6;

/** A line of a secret with several (a PEM key) is hidden by itself too, since printing often indents it. */
const LEAST_LINE_LENGTH = 12;

/** The widths at which base64 tools break their lines. */
const BASE64_LINE_WIDTHS = [64, 76];

/** All spellings to hide for these values, longest first, without doubles. Empty values are none. */
export function secretForms(secrets: readonly string[]): Buffer[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    forms.add(secret);
    const lines = secret.split(/\r?\n/).map((line) => line.trim());
    const encoded = [...base64Forms(secret), ...urlForms(secret), ...jsonForms(secret)];
    for (const form of encoded) if (form.length >= LEAST_ENCODED_LENGTH) forms.add(form);
    for (const line of lines) if (line.length >= LEAST_LINE_LENGTH) forms.add(line);
  }
  return [...forms].map((form) => Buffer.from(form)).sort((a, b) => b.length - a.length);
}

/**
 * Base64, plain and URL-safe: of the value itself, also broken into lines, and of the value inside a longer text, as in
 * `user:password`. There it begins at one of three offsets; the characters that its neighbours share are left out.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const whole = bytes.toString('base64');
  const wrapped = BASE64_LINE_WIDTHS.flatMap((width) => whole.match(new RegExp(`.{1,${width}}`, 'g')) ?? []);
  const inside = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const firstOwn = Math.ceil((offset * 8) / 6);
    const firstForeign = Math.floor(((offset + bytes.length) * 8) / 6);
    return text.slice(firstOwn, firstForeign);
  });
  const plain = [whole, ...wrapped, ...inside];
  return [...plain, ...plain.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** Percent-encoded: as `encodeURIComponent` does, strictly (RFC 3986), as a form does (`+`), digits in either case. */
function urlForms(secret: string): string[] {
  const lenient = encodeURIComponent(Buffer.from(secret).toString());
  const strict = lenient.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [lenient, strict, lenient.replaceAll('%20', '+'), strict.replaceAll('%20', '+')];
  return [...forms, ...forms.map((form) => form.replace(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase()))];
}

/** As a JSON string shows it: plainly, with `/` escaped too (PHP), in ASCII only (Python). */
function jsonForms(secret: string): string[] {
  const plain = JSON.stringify(secret).slice(1, -1);
  const ascii = plain.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [plain, ascii].flatMap((form) => [form, form.replaceAll('/', '\\/')]);
}
