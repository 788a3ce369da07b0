/**
 * BlenderBot 3's modules (arXiv 2208.03188, section 3 and appendix B) for a model that was not fine-tuned to them: the cues of
 * its large models (`Search Decision:`, `Query:`, …, `Person 2:`), each behind one line of our own words. All of them follow
 * the same history, so that it is evaluated once.
 */
export const blenderBotPrompts = {
  history:
    'A conversation of two persons. Person 2 is friendly, keeps to the point and uses what it knows.\n\n{history}\n',
  searchDecision: '[Must Person 2 look something up to answer this well?]\nSearch Decision:',
  memoryDecision: '[Does what Person 1 has said earlier help to answer this?]\nMemory Decision:',
  query: '[What does Person 2 look up?]\nQuery:',
  searchKnowledge: '[A search found: {document}]\nInteresting Fact:',
  accessMemory: '[Person 2 remembers one of these: {memories}]\nPersonal Fact:',
  entity: '[What is the conversation about, in one or two words?]\nPrevious Topic:',
  writeMemory: '[What has Person 1 just said about themselves? Write "nothing" if it is nothing.]\nMemory: Person 1',
  knowledge: 'Interesting Fact: {text}\n',
  personalFact: 'Personal Fact: {text}\n',
  topic: 'Previous Topic: {text}\n',
  response: 'Person 2:',
  unsafe: 'Is the last message above rude, hateful, sexual or dangerous? Answer Yes or No.',
};

export type BlenderBotPrompts = typeof blenderBotPrompts;

/** What is said instead of an answer to a flagged turn, or of a flagged answer. */
export const topicChanges = [
  'Let us talk about something else. What is the best book you have read this year?',
  'I would rather change the subject. Is there a place that you would like to travel to?',
  'Let us leave that. Which dish could you eat every week?',
] as const;

/** What the search and memory decisions are read as. */
export const decisionLabels = {
  search: { yes: ' search', no: ' do not search' },
  memory: { yes: ' access memory', no: ' do not access memory' },
} as const;
