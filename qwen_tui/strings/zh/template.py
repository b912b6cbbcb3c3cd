"""Chinese sentences and errors of what a model's chat template and tokenizer do."""

SENTENCES: dict[str, str] = {
    "engine.template.refuses": "它的对话模板连一条消息都不接受（{detail}），无法用来聊天。",
    "engine.template.loses_user": "它的对话模板会漏掉你写的内容，模型看不到你的消息。",
    "engine.template.loses_assistant": "它的对话模板会漏掉之前的回复，模型看不到自己的回答。",
    "lint.tokenizer": "分词器的编码与 tokenizer.json 一致。",
    "lint.unlike_file": "库为它选的分词器类 {name} 与 tokenizer.json 的编码不同；直接使用该文件。",
    "lint.base": "没有对话模板：这是基座模型，只会续写文本。",
    "lint.refuses": "对话模板连一条消息都不接受：{detail}。",
    "lint.template": "对话模板可以正常生成提示词。",
    "lint.named": "有多个对话模板，使用名为 {name} 的那个。",
    "lint.loses_user": "模板会漏掉你写的内容。",
    "lint.loses_assistant": "模板会漏掉之前的回复。",
    "lint.parts": "模板要求消息分段给出，程序已照做。",
    "lint.system": "系统提示词会写进提示词。",
    "lint.no_system": "模板没有系统提示词的位置；它会放在第一条消息前面。",
    "lint.headers": "你的消息以“{user}”开头，回复以“{assistant}”开头。",
    "lint.no_headers": "没有标明谁在说话。",
    "lint.end": "回复以“{token}”结束。",
    "lint.no_end": "回复后没有结束 token，只靠模型自己列出的结束 token。",
    "lint.adds": "模板自带一段文字：“{text}”。",
    "lint.adds_date": "模板自带一段含当天日期的文字，旧对话每天都要重读：“{text}”。",
    "lint.adds_nothing": "模板不添加任何文字。",
    "lint.no_marks": "没有思考标记；回复开头的 <think> 仍会识别。",
    "lint.marks": "思考以“{open}”开头，以“{close}”结束。",
    "lint.channels": "回复的每一部分都有标签：思考前是“{open}”，思考与回答之间是“{close}”。",
    "lint.switch": "可以开关思考（{name}）。",
    "lint.always_thinks": "模型总会思考，模板不能关闭。",
    "lint.efforts": "会改变提示词的思考强度（{name}）：{efforts}。",
    "lint.keeps_thoughts": "之前各轮的思考会留在提示词里。",
    "lint.drops_thoughts": "之前各轮的思考不会写进提示词。",
    "lint.extends": "每一轮的提示词都接着上一轮，只需读新内容。",
    "lint.rewrites": "模板会改写之前的轮次，每一轮都要重读一部分提示词。",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "engine.unknown_end_token": (
        "未知的结束 token",
        "{file} 把 {token} 设为 {key}，但分词器里没有这个 token。",
        "改正 {file} 中的 {key}，或重新下载模型。",
    ),
}
