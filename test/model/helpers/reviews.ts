/** Short reviews of our own writing, every other one good. */
const good = [
  'The soup was warm and full of flavour, and the waiter remembered our names.',
  'My new bicycle rides like a dream; I have not been late since I bought it.',
  'A funny, tender film. I left the cinema smiling.',
  'The lamp is bright, quiet and easy on the eyes. I bought a second one.',
  'Our guide knew every stone of the old town and told wonderful stories.',
  'This coat kept me dry through a week of rain. Well made.',
  'The concert was a joy from the first note to the last.',
  'Great bread, fair prices, friendly people. We come every Sunday.',
  'The update fixed everything I had complained about. Thank you!',
  'I finished the book in one night and started again in the morning.',
  'Spotless rooms and the best view of the lake.',
  'The teacher is patient and clear, and my son loves his lessons.',
];
const bad = [
  'The soup was cold, and we waited an hour for it.',
  'My new bicycle broke on the second day and nobody answers the phone.',
  'A dull, endless film. Half of the audience left.',
  'The lamp hums and flickers. I sent it back.',
  'Our guide was late, rude and did not know the way.',
  'This coat let the rain through on the first morning. Poorly made.',
  'The concert was so badly mixed that we heard nothing but drums.',
  'Stale bread, high prices, grumpy people. Never again.',
  'The update broke everything that had worked before.',
  'I gave up on the book after thirty pages of nothing.',
  'Dirty rooms and a view of the bins.',
  'The teacher shouts, and my son is afraid of his lessons.',
];

/** Of each pair of neighbours one belongs to each half. */
export const reviews = good.flatMap((text, index) => {
  const pair = [
    { prompt: text, label: true },
    { prompt: bad[index], label: false },
  ];
  return index % 2 === 0 ? pair : pair.reverse();
});
