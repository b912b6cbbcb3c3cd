"""Chinese sentences of the lessons: five walks over the view inside."""

SENTENCES: dict[str, str] = {
    "lesson.quantization": "量化",
    "lesson.quantization.about": "权重占多少内存，舍入要付出什么代价",
    "lesson.quantization.1": (
        "模型由数字组成，这些数字叫权重。第一个列表显示它们在这里占多少内存、用什么类型。"
    ),
    "lesson.quantization.2": (
        "16 位时每个权重占两个字节，8 位时一个，4 位时半个。第二个列表显示同样的权重在各种精度下占多少。"
        "有些部分（如 token 表）不舍入：大模型用 4 位大约节省 70 %，很小的模型节省得少一些。"
    ),
    "lesson.quantization.3": (
        "舍入要付出什么代价？用 {left} {right} 选一个矩阵，按 {round} 测量：前几个权重的原值和舍入值，"
        "以及全部权重的误差。误差有正有负，大多互相抵消，所以回复变化不大。"
    ),
    "lesson.quantization.4": (
        "KV 缓存是模型为读过的每个 token 保留的内容，随对话增长。本页显示每个 token 占多少、还放得下多少。"
        "按 {next} 结束本课。"
    ),
    "cli.learn": "在屏幕上学一课",
    "cli.learn_description": "开始一课：在透视面板中走几步。",
    "cli.learn_examples": "不写名称则从第一课开始。程序内的命令列表里有全部课程。",
    "cli.lesson": "课程名称（默认 tokens）",
    "lesson.title": "课程：{name} · 第 {number} 步，共 {of} 步",
    "lesson.keys": "{next} 下一步 · {back} 上一步 · {leave} 离开",
    "lesson.keys.last": "{next} 完成 · {back} 上一步",
    "lesson.key.next": "课程：下一步",
    "lesson.key.back": "课程：上一步",
    "lesson.key.leave": "离开课程",
    "lesson.done": "课程结束。按 {key} 可以找到其他课程。",
    "command.lesson": "课程：{name}",
    "lesson.tokens": "token（词元）",
    "lesson.template": "对话模板",
    "lesson.sampling": "采样",
    "lesson.memory": "记忆与窗口",
    "lesson.tokens.about": "文字怎样变成模型读的数字",
    "lesson.template.about": "你的消息外面包着什么，模型为什么会回答",
    "lesson.sampling.about": "每个 token 怎样选出，温度和 top-p 改变什么",
    "lesson.memory.about": "模型记得对话的哪些内容，又会忘掉什么",
    "lesson.say.sentence": "广州的美食很有名。",
    "lesson.say.chinese": "羹、蚝、馄饨，都是广州常见的小吃。",
    "lesson.say.number": "strawberry 里有几个字母？12345 + 67890 = ?",
    "lesson.say.news": "把这条新闻归入一类：体育、科技、政治、娱乐。国家队在加时赛中赢得决赛。",
    "lesson.say.food": "广州有什么好吃的？",
    "lesson.say.city": "介绍一下广州。",
    "lesson.say.there": "那里有什么好吃的？",
    "lesson.say.first": "我最先问的是什么？",
    "lesson.tokens.1": (
        "模型读的是 token（词元）：取自固定词表的文字片段。下面是输入框里的句子在模型眼中的样子，"
        "每块底色是一个 token。用 {left} {right} 逐个查看；说明里的 ID 就是模型收到的全部内容。"
    ),
    "lesson.tokens.2": (
        "移到句子中间看看。常见的词往往是一个 token，少见的词会拆成几个；英文的 token 常带着前面的空格。"
        "你的文字外面灰色的部分由对话模板加入，另有一课讲它。"
    ),
    "lesson.tokens.3": (
        "再看生僻字。少见的汉字可能拆成几个字节，各属不同的 token，说明里会列出这些字节。比较一下 token "
        "数和字数。"
    ),
    "lesson.tokens.4": (
        "长单词和数字会在奇怪的地方断开。模型看不到字母和数位，只看到 token，所以数字母对它来说很难。"
    ),
    "lesson.tokens.5": (
        "一切都按 token 计算：本页底部的上下文窗口、生成速度、回复的长度上限。按 {next} 结束本课。"
    ),
    "lesson.template.1": (
        "你让模型把一条新闻归入四类之一。按 {template} 关闭对话模板：剩下的就是第一次尝试时发送的纯文本。"
        "只会续写的基座模型会接着写出更多类似的文字。"
    ),
    "lesson.template.2": (
        "再按 {template} 打开模板。现在，特殊 token（粗体）标出每条消息从哪里开始、是谁说的、到哪里结束。"
        "模型就是按这种格式训练的，所以要由模板来写，不要手工拼接。"
    ),
    "lesson.template.3": (
        "最后几个 token 开启模型的这一轮，叫作生成提示。正因为有它，模型才会回答，而不是续写你的文字。"
        "颜色表示各部分是谁写的。"
    ),
    "lesson.template.4": "按 {send} 发送消息，等待回复。",
    "lesson.template.5": (
        "这就是实际发送的提示词。按 {later} 看下一条消息：回复已成为提示词的一部分，而且大部分已在缓存中，"
        "不必重读。按 {next} 结束本课。"
    ),
    "lesson.sampling.1": (
        "每一步，模型都给词表里的每个 token 一个概率，采样从中抽出一个。本对话现在用的是入门示例常见的值："
        "温度 0.7，top-p 0.9。它的 token 会被记录下来。"
    ),
    "lesson.sampling.2": "按 {send} 发送问题，等回复结束后按 {next}。",
    "lesson.sampling.3": (
        "用 {left} {right} 在回复中移动。横条是最可能的 token：p 是模型给出的概率，“采样后”是采样之后的概率。"
        "另一个列表显示每一步采样之后剩下多少 token。"
    ),
    "lesson.sampling.4": (
        "用 {down} 选一个值，用 {more} {less} 调整。横条立刻变化，不需要模型：温度高，各项趋于相同；温度为 "
        "0，总是选第一个。按 {use} 把这些值用于本对话。"
    ),
    "lesson.sampling.5": (
        "假如当时说的是别的呢？用 {down} 选另一个 token，按 {go}：新的一版回复保留前面的文字，从这个 token "
        "往下写。"
    ),
    "lesson.sampling.6": (
        "回复按每个 token 的可能性上色。按 {least} 跳到最没把握的地方。有把握不等于正确。按 {colour} "
        "给消息本身上色。按 {next} 结束本课。"
    ),
    "lesson.memory.1": "本对话的记忆已关闭：每条消息单独发送。按 {send}，等待回复。",
    "lesson.memory.2": "对你来说，“那里”就是广州。发送这个问题：模型只收到这一句，无从知道指的是哪里。",
    "lesson.memory.3": "那条回复的提示词里只有最后一条消息，之前的都没有发送。",
    "lesson.memory.4": "现在记忆已打开：每条消息都会带上整个对话。按 {regenerate} 让模型重新回答同一个问题。",
    "lesson.memory.5": (
        "现在提示词里有全部消息。聊天模型的记忆仅此而已：每次把对话重新发送一遍。缓存省去了大部分重读。"
    ),
    "lesson.memory.6": (
        "上下文窗口有限，总要舍弃一些。限制为两轮后，下一条消息会去掉最早的一轮，这就是滑动窗口。"
        "去掉的内容就被忘记了。按 {next} 结束本课。"
    ),
}

ERRORS: dict[str, tuple[str, str, str]] = {}
