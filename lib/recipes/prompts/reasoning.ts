/** Our own words for what the papers put before a question: worked examples, as text. */
export const reasoningPrompts = {
  /** Eight worked examples (Wei et al., arXiv 2201.11903, use eight); pinned. */
  examples: `Q: Maya had 5 marbles. She found 3 more and gave 2 away. How many marbles does she have?
A: Maya had 5 marbles. With the 3 that she found there were 5 + 3 = 8. She gave 2 away, so 8 - 2 = 6 are left. The answer is 6.

Q: A bus has 12 rows of 4 seats. 9 seats are empty. How many seats are taken?
A: There are 12 * 4 = 48 seats. 9 are empty, so 48 - 9 = 39 are taken. The answer is 39.

Q: Tickets cost 7 dollars. Omar has 30 dollars. How much is left after he buys 3 tickets?
A: Three tickets cost 3 * 7 = 21 dollars. Omar had 30, so 30 - 21 = 9 dollars are left. The answer is 9.

Q: There are 15 birds in a tree. 6 fly away and 4 others come. How many birds are in the tree?
A: After 6 have gone there are 15 - 6 = 9 birds. Then 4 come, which makes 9 + 4 = 13. The answer is 13.

Q: Lena reads 20 pages a day. How many pages does she read in a week?
A: A week has 7 days. 20 pages on each of them are 20 * 7 = 140 pages. The answer is 140.

Q: A farmer packs 36 eggs into boxes of 6. How many boxes does he need?
A: Each box holds 6 eggs. 36 / 6 = 6, so he needs 6 boxes. The answer is 6.

Q: Tom is 4 years older than Ann. Ann is 11. How old will Tom be in 2 years?
A: Tom is 11 + 4 = 15 years old. In 2 years he will be 15 + 2 = 17. The answer is 17.

Q: A rope of 50 metres is cut into pieces of 8 metres. How many metres are left over?
A: 50 metres give 6 pieces of 8 metres, which are 6 * 8 = 48 metres. 50 - 48 = 2 metres are left over. The answer is 2.

`,
  question: 'Q: {question}\nA:',
  /** What an answer is read behind. */
  answerMark: 'The answer is',
  /** Least-to-most (Zhou et al., arXiv 2205.10625): how a question is taken apart; pinned. */
  decompose: `Q: Ben has 3 apples. Eva has twice as many. How many apples do they have together?
To answer it, we first need to know: "How many apples does Eva have?"

Q: A shop sold 14 hats on Monday and 5 fewer on Tuesday. Each hat costs 3 dollars. How much money did it make?
To answer it, we first need to know: "How many hats did it sell on Tuesday?", "How many hats did it sell in both days?"

`,
  decomposeQuestion: 'Q: {question}\nTo answer it, we first need to know:',
  solve: `Ben has 3 apples. Eva has twice as many.
Q: How many apples does Eva have?
A: Eva has twice as many as Ben, which is 2 * 3 = 6. The answer is 6.
Q: How many apples do they have together?
A: Ben has 3 and Eva has 6, so together they have 3 + 6 = 9. The answer is 9.

`,
  problem: '{question}\n',
  subQuestion: 'Q: {question}\nA:',
  /** Self-debugging (Chen et al., arXiv 2304.05128): what goes back where the checker is not content. */
  feedback: 'That is not right yet. {message}\nExplain what went wrong, then give the whole answer again.',
};

export type ReasoningPrompts = typeof reasoningPrompts;
