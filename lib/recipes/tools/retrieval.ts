import MiniSearch from 'minisearch';
import type { Snippet, Tool } from './tool.js';

export interface RetrievalOptions {
  /** How many snippets a query gives at most. @default 5 */
  most?: number;
  /** Words that find nothing. @default English articles, prepositions, pronouns and the like */
  stopWords?: readonly string[];
}

const englishStopWords = (
  'a about an and are as at be been but by can did do does for from had has have he her his how i if in into is it its ' +
  'me my no not of on or our she so than that the their them then there these they this to us was we were what when ' +
  'where which who whom whose why will with you your'
).split(' ');

/**
 * Search in texts that are kept in memory, ranked by BM25 (MiniSearch's, which is BM25+: Lv and Zhai, CIKM 2011).
 *
 * @example
 * const retrieval = createRetrieval([{ text: 'The Eiffel Tower is 330 metres high.', source: 'https://example.org/tower' }]);
 */
export function createRetrieval(documents: readonly Snippet[], options: RetrievalOptions = {}): Tool {
  const { most = 5, stopWords = englishStopWords } = options;
  const ignored = new Set(stopWords.map((word) => word.toLowerCase()));
  const processTerm = (term: string) => (ignored.has(term.toLowerCase()) ? null : term.toLowerCase());
  const index = new MiniSearch<{ id: number; text: string }>({ fields: ['text'], processTerm });
  index.addAll(documents.map(({ text }, id) => ({ id, text })));
  return (query) =>
    index
      .search(query)
      .slice(0, most)
      .map(({ id }) => documents[id as number]);
}
