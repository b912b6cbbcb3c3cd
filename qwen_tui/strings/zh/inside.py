"""Chinese sentences of the view inside: prompt, sampling, branches, certainty, memory, comparison, lessons."""

SENTENCES: dict[str, str] = {
    "inside.compare.title": "比较两版回复",
    "inside.compare.variant": "第 {number} 版，共 {of} 版",
    "inside.compare.close": "关闭",
    "inside.compare.earlier": "与前一版比较",
    "inside.compare.later": "与后一版比较",
    "inside.compare.keys": "{earlier} {later} 换一版 · {close} 关闭",
    "inside.compare.keys.two": "{close} 关闭",
    "inside.compare.parts": "生成的 token 从第 {number:,} 个开始不同。下划线：只有其中一版有。",
    "inside.compare.same": "生成的 {count:,} 个 token 完全相同。",
    "inside.compare.no_tokens": "其中一版没有记录 token ID。下划线：只有其中一版有。",
    "inside.compare.same_values": "两版的模型、采样值和随机种子都相同。",
}

ERRORS: dict[str, tuple[str, str, str]] = {}
