"""Chinese sentences and errors of models that run on a server."""

SENTENCES: dict[str, str] = {
    "header.stage.connecting": "正在连接服务器",
    "server.window_assumed": (
        "服务器没有报告上下文窗口，暂按 {tokens:,} token 处理。可在设置中更改“上下文窗口”。"
    ),
    "server.key_in_the_clear": (
        "API 密钥以明文发给 {host}，网络途中任何人都能读到。改用 https 或 ssh 隧道。"
    ),
    "server.not_taken": "{kind} 不支持以下设置，已忽略：{names}。",
    "server.uncertain": "这个服务器可能会忽略：{names}。",
    "server.tries_again": "{host} 没有响应，{seconds:.0f} 秒后重试（第 {attempt} 次，共 {attempts} 次）。",
    "server.tries_busy_again": (
        "{host} 正忙（HTTP {status}），{seconds:.0f} 秒后重试（第 {attempt} 次，共 {attempts} 次）。"
    ),
    "welcome.server": "{name}，由服务器 {host}（{kind}）提供。",
    "welcome.server.window": "上下文窗口 {window:,} token；消息会发送到这个服务器",
    "welcome.estimated": "服务器不统计 token；带 ≈ 的数字是估算值。",
    "receipt.server": "服务器",
    "receipt.not_taken": "不支持",
}

_SAVED = "已生成的内容已保存。"

ERRORS: dict[str, tuple[str, str, str]] = {
    "server.bad_address": (
        "服务器地址无效",
        "“{address}”不是服务器地址。",
        "地址形如 http://gpubox:8000。",
    ),
    "server.password_in_address": (
        "地址中有密码",
        "{address} 中有用户名或密码，会存入设置和生成记录。",
        "去掉它，把 API 密钥放进 QWEN_TUI_API_KEY。",
    ),
    "server.bad_key": (
        "API 密钥无效",
        "API 密钥中有空格或无法发送的字符。",
        "把 {variable} 设为密钥本身。",
    ),
    "server.unreachable": (
        "无法连接服务器",
        "无法连接 {host}：{detail}。",
        "确认服务器在运行、地址和端口正确，然后重试。",
    ),
    "server.environment": (
        "无法建立连接",
        "环境变量中的代理或证书设置无效：{detail}。",
        "改正或取消设置 HTTP_PROXY、HTTPS_PROXY、ALL_PROXY 或 SSL_CERT_FILE，然后重新启动。",
    ),
    "server.bad_certificate": (
        "证书不受信任",
        "本机不信任 {host} 的证书：{detail}。",
        "把 SSL_CERT_FILE 设为颁发机构的证书后重新启动，或改用 ssh 隧道。",
    ),
    "server.no_memory": (
        "看不到内存",
        "模型在 {host} 上运行，这个服务器不报告内存里有什么。",
        "要看内存，请在本机加载模型。",
    ),
    "server.no_lens": (
        "看不到各层",
        "模型在 {host} 上运行，这个服务器不显示各层的计算结果。",
        "要看各层，请在本机加载模型。",
    ),
    "server.no_tls": (
        "服务器不支持 https",
        "{host} 不响应 https：{detail}。",
        "地址改用 http:// 再试。",
    ),
    "server.no_answer": (
        "服务器没有响应",
        "{host} 接受了请求，但没有给出可读的响应：{detail}。",
        "重试。如果仍然如此，检查地址：端口可能属于其他程序，或需要 https://。",
    ),
    "server.stalled": (
        "服务器停止响应",
        "{host} 在回复中途停止了响应。",
        _SAVED + "续写，或重新生成。",
    ),
    "server.silent": (
        "服务器没有响应",
        "{host} 接受了请求，但没有响应。",
        "它可能还在加载模型：稍后重试，或查看它的日志。",
    ),
    "server.key_wanted": (
        "需要 API 密钥",
        "没有发送 API 密钥，或 {host} 不接受它：{detail}。",
        "把 {variable} 设为这个服务器的密钥，然后重新启动。",
    ),
    "server.forbidden": (
        "没有权限",
        "{host} 拒绝访问：{detail}。",
        "确认 {variable} 中的 API 密钥有权使用这个模型。",
    ),
    "server.not_found": (
        "服务器上找不到",
        "{host} 找不到请求的内容：{detail}。",
        "检查模型名称和地址；地址不要包含 /v1/chat/completions。",
    ),
    "server.no_such_model": (
        "服务器没有这个模型",
        "{host} 没有提供 {model}。",
        "可选模型：{models}。",
    ),
    "server.which_model": (
        "未指定模型",
        "{host} 没有列出它的模型。",
        "用 --model 指定一个。",
    ),
    "server.redirects": (
        "服务器要求重定向",
        "{host} 要求重定向到 {place}；程序不会跟随重定向。",
        "如果信任那个地址，把它设为服务器地址。",
    ),
    "server.busy": (
        "服务器正忙",
        "{host} 暂时不接受更多请求：{detail}。",
        "稍后重试。",
    ),
    "server.behind_gateway": (
        "服务器尚未就绪",
        "{host} 暂时无法响应：{detail}。",
        "它可能还在启动：稍后重试。",
    ),
    "server.refused": (
        "服务器拒绝了请求",
        "{host} 拒绝了请求：{detail}。",
        "修改它提到的设置，或在设置中调低“记忆 token 数”。",
    ),
    "server.too_long": (
        "超出服务器的限制",
        "{host} 拒绝了请求：{detail}。",
        "重新生成时会少发送一些历史消息。如果仍不够，在设置中调低“记忆 token 数”。",
    ),
    "server.failed": (
        "服务器出错",
        "{host} 返回错误 {status}：{detail}。",
        _SAVED + "重试，或查看服务器日志。",
    ),
    "server.error": (
        "服务器出错",
        "{host} 中断了回复：{detail}。",
        _SAVED + "重新生成，或查看服务器日志。",
    ),
    "server.broke_off": (
        "连接中断",
        "{host} 在回复完成前关闭了连接。",
        _SAVED + "续写，或重新生成。",
    ),
    "server.garbled": (
        "不是对话服务器",
        "{host} 的响应不符合 OpenAI 对话协议。",
        "检查地址。支持的服务器：vLLM、SGLang、llama.cpp、Ollama 和 transformers serve。",
    ),
    "server.cannot_branch": (
        "这个服务器不能分支",
        "这类服务器（{kind}）不能从给定的 token 开始写回复。",
        "要从某个 token 分支，请在本机加载模型。",
    ),
    "server.cannot_continue": (
        "无法续写",
        "这类服务器（{kind}）不支持续写回复。",
        "重新生成，或发送“继续”。",
    ),
    "server.cannot_continue_thinking": (
        "无法续写",
        "回复在思考时中断，这类服务器（{kind}）不支持从这里续写。",
        "重新生成。",
    ),
    "replay.on_server": (
        "无法重放",
        "服务器没有报告这条回复的 token，无从比较。",
        "重新生成可以得到另一版回复。",
    ),
}
