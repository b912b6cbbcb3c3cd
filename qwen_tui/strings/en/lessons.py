"""English sentences of the lessons: five walks over the view inside."""

SENTENCES: dict[str, str] = {
    "lesson.quantization": "Quantization",
    "lesson.quantization.about": "How much memory weights take, and what rounding them costs",
    "lesson.quantization.1": (
        "A model consists of numbers, its weights. The first list shows how much memory they take here and "
        "in which type."
    ),
    "lesson.quantization.2": (
        "At 16 bits a weight takes two bytes, at 8 bits one, at 4 bits half a byte. The second list shows what "
        "these very weights take in each. Some parts, such as the table of tokens, are not rounded: a large "
        "model saves about 70 % at 4 bits, a tiny one less."
    ),
    "lesson.quantization.3": (
        "What does rounding cost? {left} and {right} choose a matrix, {round} measures it: its first "
        "weights, exact and rounded, and the error of all of them. Small errors in both directions mostly "
        "cancel out, so replies change little."
    ),
    "lesson.quantization.4": (
        "The KV cache is what the model keeps of every token it has read; it grows with the conversation. "
        "This tab shows what a token takes and how many still fit. {next} ends the lesson."
    ),
    "cli.learn": "take a lesson on the screen",
    "cli.learn_description": "Begin a lesson: a short walk over the view inside.",
    "cli.learn_examples": "Without a name, the first lesson begins. In the program, the commands list all lessons.",
    "cli.lesson": "the lesson (default: tokens)",
    "lesson.title": "Lesson: {name} · {number} of {of}",
    "lesson.keys": "{next} next · {back} back · {leave} leave",
    "lesson.keys.last": "{next} done · {back} back",
    "lesson.key.next": "Lesson: next step",
    "lesson.key.back": "Lesson: previous step",
    "lesson.key.leave": "Leave the lesson",
    "lesson.done": "Lesson finished. {key} lists the others.",
    "command.lesson": "Lesson: {name}",
    "lesson.tokens": "Tokens",
    "lesson.template": "The chat template",
    "lesson.sampling": "Sampling",
    "lesson.memory": "Memory and window",
    "lesson.tokens.about": "How text becomes the numbers that a model reads",
    "lesson.template.about": "What surrounds your message, and why the model answers it",
    "lesson.sampling.about": "How each token is chosen, and what temperature and top-p change",
    "lesson.memory.about": "What the model remembers of a conversation, and what it forgets",
    "lesson.say.sentence": "Guangzhou is famous for its food.",
    "lesson.say.chinese": "广州的美食很有名，早茶尤其讲究。",
    "lesson.say.number": "How many letters are in strawberry? 12345 + 67890 = ?",
    "lesson.say.news": (
        "Sort this news line into one of: sports, technology, politics, entertainment. The national team "
        "won the final in extra time."
    ),
    "lesson.say.food": "What is good to eat in Guangzhou?",
    "lesson.say.city": "Tell me about Guangzhou.",
    "lesson.say.there": "What is good to eat there?",
    "lesson.say.first": "What did I ask first?",
    "lesson.tokens.1": (
        "A model reads tokens: pieces of text from a fixed list. Below is the sentence from the message "
        "box as the model would read it. Each tint is one token. {left} and {right} move from token to "
        "token; the ID in the description is all that the model gets."
    ),
    "lesson.tokens.2": (
        "Move to the middle of the sentence. A token often includes the space before it. Frequent words "
        "are one token, rare ones are several. The gray parts around your text come from the chat "
        "template, which has a lesson of its own."
    ),
    "lesson.tokens.3": (
        "Now a Chinese sentence. A frequent word may be one token, and a rare character may be split into "
        "bytes; the description shows them. Compare the number of tokens with the number of characters."
    ),
    "lesson.tokens.4": (
        "Long words and numbers are split in odd places. A model never sees their letters and digits, only "
        "tokens: this is why counting letters is hard for it."
    ),
    "lesson.tokens.5": (
        "Everything is counted in tokens: the context window at the bottom of this tab, the speed, and the "
        "limit of a reply. {next} ends the lesson."
    ),
    "lesson.template.1": (
        "You ask the model to sort a news line into one of four categories. {template} turns the chat "
        "template off: what remains is the bare text, as a first attempt sends it. A model that only "
        "continues text would go on with more text like it."
    ),
    "lesson.template.2": (
        "{template} turns the template on again. Now special tokens (bold) say where each message begins, "
        "whose it is, and where it ends. The model was trained on exactly this form, so let the template "
        "write it, never your own hands."
    ),
    "lesson.template.3": (
        "The last tokens open the model's turn: the generation prompt. They are why it answers instead of "
        "continuing your text. The colors show who wrote what."
    ),
    "lesson.template.4": "Press {send} to send the message, and wait for the reply.",
    "lesson.template.5": (
        "This is the prompt that was really sent. {later} goes on to your next message: the reply is part "
        "of its prompt now, and most of it is in the cache already, so it need not be read again. {next} "
        "ends the lesson."
    ),
    "lesson.sampling.1": (
        "For every place the model gives each token of its list a probability, and sampling draws one of "
        "them. This conversation now has the values of many first examples: temperature 0.7, top-p 0.9. "
        "Its tokens are recorded."
    ),
    "lesson.sampling.2": "Send the question with {send}, wait for the reply, then press {next}.",
    "lesson.sampling.3": (
        "{left} and {right} move through the reply. The bars are the likeliest tokens: p is what the model "
        "said, chance is what sampling made of it. The other list shows how many tokens each step of "
        "sampling leaves."
    ),
    "lesson.sampling.4": (
        "{down} chooses a value, {more} and {less} change it. The bars follow at once, without the model: "
        "a high temperature makes them alike, 0 always chooses the first. {use} makes these values the "
        "conversation's."
    ),
    "lesson.sampling.5": (
        "What if it had said something else? Choose another token with {down} and press {go}: a variant "
        "begins with the text so far and that token."
    ),
    "lesson.sampling.6": (
        "The reply colored by how likely each token was. {least} goes to the least certain places. Sure is "
        "not the same as true. {colour} colors the messages themselves. {next} ends the lesson."
    ),
    "lesson.memory.1": (
        "Memory is off in this conversation: each message is sent alone. Press {send} and wait for the reply."
    ),
    "lesson.memory.2": (
        "To you, “there” is Guangzhou. Send the question: the model gets only this one sentence and cannot "
        "know."
    ),
    "lesson.memory.3": "The prompt of that reply has only the last message. The older ones were not sent.",
    "lesson.memory.4": (
        "Memory is on now: the whole conversation is sent with each message. {regenerate} asks for another "
        "reply to the same question."
    ),
    "lesson.memory.5": (
        "Now the prompt has all messages. This is all the memory that a chat model has: its own "
        "conversation, sent again each time. The cache saves most of the reading."
    ),
    "lesson.memory.6": (
        "The context window is limited, so something has to go. With a limit of two turns, the next "
        "message leaves out the oldest turn: a sliding window. What is left out is forgotten. {next} ends "
        "the lesson."
    ),
}

ERRORS: dict[str, tuple[str, str, str]] = {}
