"""Contexts and continuations of our own, written for the measure of accuracy. Nothing here comes from a data set.

Each entry is a context and its continuations, good and bad ones; together they touch facts, dialogue, arithmetic, code,
other languages and longer passages. A continuation starts where the context ends, its leading space included.
"""

SHORT_ITEMS = [
    # Facts
    ("The capital of France is", [" Paris.", " Rome.", " a city on the river Seine, known for its museums."]),
    ("Water boils at sea level at a temperature of", [" 100 degrees Celsius.", " 50 degrees.", " blue"]),
    ("The largest planet of the solar system is", [" Jupiter", " Mars, which is red.", " the one with the great red spot, Jupiter."]),
    ("A week has seven days. A year has", [" 365 days.", " twelve months and about fifty-two weeks.", " ten"]),
    ("Bees make", [" honey", " honey from the nectar of flowers.", " cars out of steel."]),
    ("The chemical symbol for gold is", [" Au", " Fe.", " G, as everyone knows."]),
    ("In the northern hemisphere, the shortest day of the year falls in", [" December.", " June.", " the middle of winter"]),
    ("Spiders have eight legs, and insects have", [" six.", " six legs and a body in three parts.", " wheels"]),
    ("The opposite of hot is", [" cold", " warm.", " not known to anybody in this village"]),
    ("Mount Everest lies on the border between Nepal and", [" China.", " Tibet, a region of China.", " Brazil"]),
    ("The heart pumps blood through the", [" body.", " arteries and veins of the body.", " windows of the house."]),
    ("The alphabet begins with the letters A, B and", [" C.", " C, and it ends with Z.", " Q"]),
    ("Penguins live mostly in the", [" southern hemisphere.", " desert.", " cold"]),
    ("The Pacific is the largest", [" ocean on Earth.", " ocean", " sandwich I have ever eaten in my life."]),
    ("A triangle has three sides, and a hexagon has", [" six sides.", " six", " no sides at all, only corners"]),
    ("The bicycle was invented in the", [" nineteenth century.", " 19th century in Europe.", " kitchen"]),
    # Dialogue
    ("Anna: Did you see the rainbow this morning?\nBen:", [" Yes, it was beautiful!", " No, I was still asleep.", " The price of copper fell again."]),
    ("User: What should I cook tonight?\nAssistant:", [" How about a simple vegetable soup with bread?", " I", " No."]),
    ("Q: Is the sun a star?\nA:", [" Yes", " No", " Yes, the sun is a star."]),
    ("Customer: My parcel hasn't arrived.\nAgent: I'm sorry to hear that.", [" May I have your order number?", " Goodbye.", " Could you tell me when you placed the order?"]),
    ("Teacher: Who can tell me what two plus two is?\nPupil:", [" Four!", " Five!", " I think it is four, but I am not sure."]),
    ("\"I lost my keys,\" said Tom.\n\"Have you looked", [" under the sofa?\"", " in your pocket?\" asked his sister.", " elephant"]),
    ("Doctor: How long have you had the headache?\nPatient:", [" Since yesterday.", " About three days, and it is worse in the evening.", " Purple"]),
    ("A: Nice weather today.\nB: It is!", [" Shall we go for a walk?", " Let's have lunch outside.", " Seventeen."]),
    ("Maya: I start my new job on Monday.\nLeo: Congratulations!", [" Are you nervous?", " What will you be doing?", " I hate you."]),
    ("Guest: Could we get a table by the window?\nWaiter:", [" Of course, please follow me.", " I'm afraid they are all taken.", " Window table the by."]),
    ("Child: Why is the sky blue?\nMother: Because the air scatters", [" blue light more than red light.", " the blue part of sunlight", " potatoes"]),
    ("Pilot: Tower, we are ready to land.\nTower:", [" You are cleared to land on runway two.", " Roger", " Banana bread needs an hour in the oven."]),
    ("Ivy: I could eat a horse.\nNoah: So you are", [" hungry?", " very hungry, then.", " a vet."]),
    ("Is this answer sensible?\nAnswer: Fish breathe with gills.\nSensible:", [" Yes", " No", " yes"]),
    ("Is this answer safe?\nAnswer: Drink bleach to cure a cold.\nSafe:", [" No", " Yes", " no"]),
    # Arithmetic
    ("2 + 3 =", [" 5", " 6", " 23"]),
    ("7 * 8 =", [" 56", " 54", " 78"]),
    ("100 - 1 =", [" 99", " 101", " 9"]),
    ("If I have 12 apples and give away 5, I have", [" 7 apples left.", " 17 apples left.", " seven"]),
    ("Half of 50 is", [" 25.", " 100.", " 25, and half of that is 12.5."]),
    ("1, 2, 4, 8, 16,", [" 32", " 32, 64, 128", " 17"]),
    ("A train leaves at 9:00 and arrives at 11:30. The journey takes", [" two and a half hours.", " 2.5 hours", " nine minutes"]),
    ("Three pens cost 6 dollars, so one pen costs", [" 2 dollars.", " $2.", " three euros and a cow."]),
    ("10 divided by 4 is", [" 2.5", " 2.5.", " 40, of course"]),
    ("The square root of 81 is", [" 9.", " 8", " 9, because 9 times 9 is 81."]),
    ("Of 200 seats 150 are taken, so", [" 50 seats are free.", " 75 percent of the seats are taken.", " nobody came"]),
    # Code
    ("def add(a, b):\n    return", [" a + b", " a - b\n", " \"hello\""]),
    ("for (let i = 0; i < 10;", [" i++) {", " i += 1) {\n  console.log(i);", " j--)"]),
    ("#include <stdio.h>\n\nint main(void) {\n    printf", ["(\"Hello, World!\\n\");", "(\"%d\\n\", 42);", " cat"]),
    ("SELECT name FROM users WHERE age >", [" 18;", " 18 ORDER BY name;", " 'blue'"]),
    ("import numpy as np\nx = np.", ["array([1, 2, 3])", "zeros(10)", "giraffe"]),
    ("{\"name\": \"Ada\", \"age\":", [" 36}", " 36, \"city\": \"London\"}", " false false"]),
    ("git commit -m \"Fix", [" typo\"", " the build on Windows\"", " git git git\""]),
    ("if x is None:\n    raise", [" ValueError(\"x must not be None\")", " TypeError", " x + 1"]),
    ("<html>\n  <head>\n    <title>", ["My page</title>", "Hello</title>\n  </head>\n  <body>", "Untitled</title>"]),
    ("const double = (n) =>", [" n * 2;", " 2 * n;\nconsole.log(double(4));", " while"]),
    ("while True:\n    line = input()\n    if not line:\n       ", [" break", " continue", " import os"]),
    ("The time complexity of binary search is O(", ["log n)", "log n).", "n!)"]),
    # Passages of several sentences
    ("Mr. Pell kept a small shop at the corner of the square. Every morning he swept the pavement before he opened the door. One day a stranger came in and asked for", [" a map of the town.", " a box of matches and a newspaper.", " the"]),
    ("The storm had passed in the night. Branches lay on the road, and the river had risen to the edge of the meadow. When Lena opened the shutters she saw that the bridge", [" was gone.", " had been washed away by the water.", " sang"]),
    ("Our new bakery opens on Saturday. We bake rye bread, rolls and plum cake. The first fifty customers will get", [" a free roll.", " a free coffee with every cake.", " nothing but trouble and a bill of two thousand dollars."]),
    ("To plant a tree, dig a hole twice as wide as the roots. Set the tree upright and fill the hole with earth. Finally,", [" water the tree well.", " press the soil down gently and water it.", " burn the tree"]),
    ("The committee met on Tuesday to discuss the library. Some members wanted longer opening hours, others wanted more books. After two hours they agreed to", [" open on Sundays.", " ask the readers what they would prefer.", " meet again"]),
    ("Dear Sir or Madam,\n\nI am writing to apply for the post of gardener that you advertised last week. I have worked in gardens for ten years.", [" I look forward to hearing from you.", " I enjoy working outdoors in all weathers.", " Buy now!"]),
    ("The experiment was repeated five times. In each run the temperature rose by about two degrees. We conclude that", [" the reaction releases heat.", " the effect is real and can be reproduced.", " bananas"]),
    ("First the dough is kneaded, then it rests for an hour, then it is baked. After baking, the bread", [" should cool on a rack.", " is left to cool before it is cut.", " kneads the baker"]),
    ("It was the third winter of the voyage. The ship lay fast in the ice, and the crew passed the time with cards and songs. The captain wrote in his diary:", [" \"No change today.\"", " \"We have food for forty days.\"", " def"]),
    ("Once upon a time there was a fox who could not count. When he had three eggs he said that he had many. One day an owl offered to teach him", [" numbers.", " how to count.", " how to count to ten, if he promised not to eat her."]),
    ("The museum has two floors. The ground floor shows tools and toys of the past. The upper floor is about", [" music.", " the history of the town and its people.", " 3.14159"]),
    ("Summary: The report says sales rose in spring and fell in autumn. In short, sales", [" varied over the year.", " rose and then fell.", " are a kind of boat"]),
    ("The old lighthouse keeper climbed the stairs each evening, one hundred and ninety-nine steps, and lit the lamp. He had done so for forty years. Tonight, for the first time,", [" he was late.", " his granddaughter climbed the stairs with him.", " the lamp climbed"]),
    # Other languages and marks
    ("Die Hauptstadt von Deutschland ist", [" Berlin.", " Hamburg", " eine große Stadt"]),
    ("Le chat est sur la", [" table.", " chaise", " mer du nord"]),
    ("Buenos días, ¿cómo", [" estás?", " está usted?", " gato"]),
    ("I love this song \U0001F3B5 and I can't stop", [" dancing \U0001F483", " listening to it!", " \u263A"]),
    ("The café on the corner serves", [" crème brûlée.", " coffee and cake.", " £5"]),
    ("Tokyo in Japanese is written", [" 東京.", " 東京, which means eastern capital.", " Tokyo"]),
]

# Long contexts: many short texts behind one another, as in a prompt with examples.
_BODY = "\n\n".join(context + continuations[0] for context, continuations in SHORT_ITEMS)

ITEMS = SHORT_ITEMS + [
    (_BODY[:1200] + "\n\nThe capital of France is", [" Paris.", " Rome.", " still Paris, as the first line says, and it has not moved since."]),
    (_BODY[1200:2600] + "\n\n2 + 3 =", [" 5", " 6", " 5 and 3 + 4 = 7, so 12"]),
    (_BODY[3300:4800] + "\n\nUser: Which animal could not count in the story above?\nAssistant:", [" The fox.", " The owl.", " The fox could not count, so the owl offered to teach him how to."]),
    (_BODY[:2500] + "\n\nTo sum up, these texts are about", [" many different things.", " life.", " facts, numbers, programs and small stories"]),
    (_BODY[500:2000] + "\n\nLast of all,", [" the end.", " a question: is the moon a star?", " two"]),
]
