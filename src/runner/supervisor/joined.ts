/** Output with its line breaks taken out, for what they may have split. */

const LF = 0x0a;
const CR = 0x0d;

/** Data without its line breaks, and where each of its bytes was. */
export class Joined {
  readonly bytes: Buffer;
  /** As it was. */
  readonly data: Buffer;
  readonly #places: Uint32Array | undefined;

  constructor(data: Buffer) {
    this.data = data;
    if (!data.includes(LF) && !data.includes(CR)) {
      this.bytes = data;
      return;
    }
    const bytes = Buffer.allocUnsafe(data.length);
    const places = new Uint32Array(data.length);
    let length = 0;
    for (let place = 0; place < data.length; place++) {
      const byte = data[place] as number;
      if (byte === LF || byte === CR) continue;
      bytes[length] = byte;
      places[length++] = place;
    }
    this.bytes = bytes.subarray(0, length);
    this.#places = places;
  }

  /** Where a byte was in the data. */
  placeOf(at: number): number {
    return this.#places === undefined ? at : (this.#places[at] as number);
  }

  /** Whether no line break was among the `length` bytes from `at` on. */
  isUnbroken(at: number, length: number): boolean {
    return this.placeOf(at + length - 1) - this.placeOf(at) === length - 1;
  }

  /** Whether the data ended with a line break. */
  get endsInBreak(): boolean {
    return this.bytes.length === 0 || this.placeOf(this.bytes.length - 1) < this.data.length - 1;
  }
}

/** A text without line breaks. */
export function withoutBreaks(text: Buffer): Buffer {
  return Buffer.from(text.filter((byte) => byte !== LF && byte !== CR));
}
