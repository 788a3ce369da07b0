/** Our own words for LaMDA's Research (arXiv 2201.08239, section 6.2), which was fine-tuned and needed none. */
export const lamdaPrompts = {
  /** Pinned: shared by all conversations. */
  research: `Before an answer is sent, it is checked. If a fact or a number in the draft should be looked up, the next line is "TS, " and a short query. If nothing is left to look up, the next line is "User, " and the final answer, which keeps to what was found.

User: How much is 48 plus 77?
Draft: I think that 48 plus 77 is 115.
TS, 48+77
Found: 125
User, 48 plus 77 is 125.

User: Hi there! How is your day?
Draft: Very nice so far, thank you. And yours?
User, Very nice so far, thank you. And yours?

User: When did Henrietta Swan Leavitt live?
Draft: She was an astronomer of the 18th century.
TS, Henrietta Swan Leavitt
Found: Henrietta Swan Leavitt (1868 to 1921) was an American astronomer.
User, Henrietta Swan Leavitt was an American astronomer. She lived from 1868 to 1921.

User: What is 360 divided by 8?
Draft: It is 40.
TS, 360/8
Found: 45
User, 360 divided by 8 is 45.

User: How deep is Lake Baikal?
Draft: It is more than 100 metres deep.
TS, depth of Lake Baikal
Found: Lake Baikal in Siberia is the deepest lake of the world: 1,642 metres.
User, Lake Baikal is 1,642 metres deep, deeper than any other lake.

`,
  /** Base drafts here, Research goes on behind the draft. */
  conversation: '{conversation}\nDraft:',
  found: 'Found: {snippet}\n',
  nothingFound: 'nothing',
};

export type LamdaPrompts = typeof lamdaPrompts;
