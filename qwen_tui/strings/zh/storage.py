"""Chinese sentences and errors of the files: conversations, their names, and the config file."""

SENTENCES: dict[str, str] = {
    "store.new_name": "新对话",
    "store.damage.not_text": "不是 UTF-8 文本",
    "store.damage.empty": "文件为空",
    "store.damage.not_json": "第 {line} 行不是有效的 JSON",
    "store.damage.too_deep": "嵌套太深",
    "store.damage.too_large": "超过 {megabytes} MB",
    "store.damage.not_a_conversation": "没有消息列表",
    "store.damage.wrong_type": "“{key}”缺失或类型不对",
    "store.damage.same_id": "第 {number} 条消息的 id 与前面的重复",
    "store.damage.no_conversation": "这条回复所属的对话不存在",
    "store.damage.not_a_partial": "没有注明属于哪条回复",
    "store.changed_meanwhile": "其他程序在此期间修改了它",
    "config.no_table": "顶层",
    "config.too_large": "文件太大，不像配置文件",
    "store.damage.cycle": "消息之间循环引用",
    # What the system says
    "system.EPERM": "不允许的操作",
    "system.ENOENT": "文件或文件夹不存在",
    "system.EIO": "输入输出错误",
    "system.ENOMEM": "内存不足",
    "system.EACCES": "权限不足",
    "system.EEXIST": "文件已存在",
    "system.ENOTDIR": "不是文件夹",
    "system.EISDIR": "是文件夹，不是文件",
    "system.EMFILE": "打开的文件过多",
    "system.EFBIG": "文件过大",
    "system.ENOSPC": "磁盘空间不足",
    "system.EROFS": "文件系统只读",
    "system.EPIPE": "管道已断开",
    "system.ENAMETOOLONG": "文件名过长",
    "system.EDQUOT": "超出磁盘配额",
    "system.ENETUNREACH": "网络不可达",
    "system.ECONNRESET": "连接被对方重置",
    "system.ETIMEDOUT": "连接超时",
    "system.ECONNREFUSED": "连接被拒绝",
    "system.EHOSTUNREACH": "无法到达主机",
    "system.EAI_AGAIN": "暂时无法解析域名",
    "system.EAI_NONAME": "域名无法解析",
}

_SPACE = "检查文件夹的剩余空间和权限。"

ERRORS: dict[str, tuple[str, str, str]] = {
    "store.damaged": (
        "对话已损坏",
        "无法读取 {path}：{detail}。",
        "文件没有改动；可用文本编辑器查看内容。",
    ),
    "store.set_aside": (
        "已移走损坏的文件",
        "无法读取 {name}：{detail}。",
        "已原样移到 {path}。",
    ),
    "store.newer_version": (
        "由较新版本的 qwen-tui 保存",
        "{path} 的格式版本是 {version}，当前程序不支持。",
        "升级 qwen-tui 后再打开；文件没有改动。",
    ),
    "store.unreadable": (
        "无法读取对话",
        "无法打开 {path}：{detail}。",
        "检查文件和所在文件夹的权限。",
    ),
    "store.gone": (
        "找不到对话",
        "{name} 的文件已不存在。",
        "查看对话文件夹旁的回收站文件夹。",
    ),
    "store.open_elsewhere": (
        "已在别处打开",
        "“{name}”已在另一个 qwen-tui 中打开。",
        "先在那里关闭。",
    ),
    "store.draft_not_saved": (
        "草稿未保存",
        "无法写入 {path}：{detail}。",
        "文字仍在输入框中。" + _SPACE,
    ),
    "store.not_saved": (
        "对话未保存",
        "无法写入 {path}：{detail}。",
        "对话仍在内存中，会随下一条消息一起保存。" + _SPACE,
    ),
    "store.not_added": (
        "导入未完成",
        "已导入 {done:,} 个对话，随后出错：{reason}",
        "再次导入会重复已导入的对话。" + _SPACE,
    ),
    "store.not_recovered": (
        "回复未恢复",
        "{path} 中有一条中断的回复，无法保存：{detail}。",
        "文件会保留，下次再试。" + _SPACE,
    ),
    "store.not_moved": (
        "对话未移动",
        "无法移动 {path}：{detail}。",
        "对话没有变化；检查文件夹的权限。",
    ),
    "store.partial_not_saved": (
        "回复未能边写边存",
        "无法写入 {path}：{detail}。",
        "腾出空间：回复会继续，结束时保存。",
    ),
    "config.wrong_table": (
        "设置的位置不对",
        "{key} 在这里不起作用：{found}。",
        "把它移到 {table} 下。",
    ),
    "config.not_a_table": (
        "配置文件有误",
        "{table} 应是一组设置，而不是一个值。",
        "让 {table} 单独占一行，设置写在它下面。",
    ),
    "config.not_keys": (
        "按键设置无效",
        "{name} 不能设为 {value}。",
        '按键要加引号，例如 "ctrl+n" 或 "f2,ctrl+t"。',
    ),
    "config.unknown_keys": (
        "未知的按键设置",
        "没有名为 {name} 的操作。",
        "你要找的可能是：{close}。",
    ),
    "config.key_clash": (
        "按键冲突",
        "{place}：{key} 同时分配给了“{one}”和“{other}”。",
        "在配置文件中给其中一个操作换个按键。",
    ),
}
