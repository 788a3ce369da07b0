export interface Line {
  bytes: Buffer;
  /** Of its first byte. */
  offset: number;
  /** It ends with a line feed. */
  isWhole: boolean;
  /** Only its first bytes are here: it is longer than allowed. */
  isCut: boolean;
}

const lineFeed = 0x0a;

/** The lines of a stream of bytes, without their line feeds. Of a line longer than `maxLength` the rest is passed over. */
export async function* splitLines(source: AsyncIterable<Buffer>, maxLength = Infinity): AsyncGenerator<Line, void> {
  let held: Buffer[] = [];
  let heldLength = 0; // Of the line so far, what is passed over included.
  let offset = 0;
  const hold = (bytes: Buffer) => {
    if (heldLength < maxLength) held.push(bytes.subarray(0, maxLength - heldLength));
    heldLength += bytes.length;
  };
  const take = (isWhole: boolean): Line => {
    const bytes = held.length === 1 ? held[0] : Buffer.concat(held);
    const line = { bytes, offset, isWhole, isCut: heldLength > maxLength };
    offset += heldLength + 1;
    held = [];
    heldLength = 0;
    return line;
  };
  for await (const chunk of source) {
    let begin = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, begin)) {
      hold(chunk.subarray(begin, end));
      begin = end + 1;
      yield take(true);
    }
    if (begin < chunk.length) hold(chunk.subarray(begin));
  }
  if (heldLength > 0) yield take(false);
}
