// Our own words around what data sets bring.

/** Which of two replies is better, to be answered by ` A` or ` B`. `quality`: the word for better. */
export const comparison = (conversation: string, first: string, second: string, quality: string): string =>
  `Two replies to the same message are compared.\n\n${conversation}\n\nReply A:\n${first}\n\nReply B:\n${second}\n\n` +
  `Question: Which reply is ${quality}, A or B?\nAnswer:`;

export const comparisonLabels = [' A', ' B'];
