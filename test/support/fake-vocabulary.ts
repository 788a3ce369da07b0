// Words with the space before them, single digits, runs of spaces, line breaks and other characters. Ids are given out as
// pieces turn up, so that "foo" + "bar" and "foobar" differ as they do in real vocabularies.

export const vocabularySize = 50_000;

const special = /^(<\|[a-z_]+\|>|<s>|<\/s>)$/;
const withSpecial = /<\|[a-z_]+\|>|<s>|<\/s>| ?[A-Za-z]+| ?[0-9]|\n+| +|[^]/gu;
const withoutSpecial = / ?[A-Za-z]+| ?[0-9]|\n+| +|[^]/gu;

export class Vocabulary {
  readonly #pieces = ['<unk>', '<s>', '</s>'];
  readonly #ids = new Map(this.#pieces.map((piece, id) => [piece, id]));

  idOf(piece: string): number {
    const known = this.#ids.get(piece);
    if (known !== undefined) return known;
    const id = this.#pieces.push(piece) - 1;
    this.#ids.set(piece, id);
    return id;
  }

  tokenize(text: string, parseSpecial: boolean): number[] {
    return (text.match(parseSpecial ? withSpecial : withoutSpecial) ?? []).map((piece) => this.idOf(piece));
  }

  detokenize(tokens: Int32Array, showsSpecial: boolean): string {
    const pieces = [...tokens].map((token) => this.#pieces[token] ?? '\uFFFD');
    return pieces.filter((piece) => showsSpecial || !special.test(piece)).join('');
  }
}
