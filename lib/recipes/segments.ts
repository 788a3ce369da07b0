/** A part of a streamed text: what stands before the mark, and what stands behind it. */
export interface Segment {
  segment: 'thoughts' | 'answer';
  text: string;
}

/**
 * Splits a streamed text at the first mark, wherever tokens end. What may be the beginning of the mark is held back until
 * more has come.
 */
export class SegmentSplitter {
  readonly #mark: string;
  #held = '';
  #isBehind = false;

  constructor(mark: string) {
    this.#mark = mark;
  }

  /** What can be told by now; at most one segment of each kind, none of them empty. */
  push(text: string): Segment[] {
    if (this.#isBehind) return filled([{ segment: 'answer', text }]);
    this.#held += text;
    const begin = this.#held.indexOf(this.#mark);
    if (begin >= 0) return this.#cross(begin);
    const safe = this.#held.length - this.#possibleBeginning();
    const thoughts = this.#held.slice(0, safe);
    this.#held = this.#held.slice(safe);
    return filled([{ segment: 'thoughts', text: thoughts }]);
  }

  /** The text has ended: what was held back is no mark. */
  end(): Segment[] {
    const text = this.#held;
    this.#held = '';
    return filled([{ segment: 'thoughts', text }]);
  }

  #cross(begin: number): Segment[] {
    const thoughts = this.#held.slice(0, begin);
    const answer = this.#held.slice(begin + this.#mark.length);
    this.#held = '';
    this.#isBehind = true;
    return filled([
      { segment: 'thoughts', text: thoughts },
      { segment: 'answer', text: answer },
    ]);
  }

  /** Length of the longest end of what is held that the mark begins with. */
  #possibleBeginning(): number {
    for (let length = Math.min(this.#mark.length - 1, this.#held.length); length > 0; length--)
      if (this.#held.endsWith(this.#mark.slice(0, length))) return length;
    return 0;
  }
}

const filled = (segments: Segment[]) => segments.filter(({ text }) => text !== '');
