"""A few fixed samples, greedy; the whole score comes from `python -m qwen_tui.training.evaluate`."""

import pytest


def talk(guide, *turns, system=None):
    chat = [{"role": "system", "content": system}] if system else []
    for turn in turns:
        chat.append({"role": "user", "content": turn})
        chat.append({"role": "assistant", "content": guide.answers([chat], greedy=True)[0]})
    return chat[-1]["content"]


def test_a_name_is_kept_over_other_turns(guide):
    assert "Theodora" in talk(
        guide, "im Theodora", "what is a token?", "thanks", "how do I stop you", "what's my name?"
    )


def test_a_chinese_name_is_kept_over_other_turns(guide):
    assert "欧阳小慧" in talk(guide, "我叫欧阳小慧", "什么是温度？", "谢谢", "广州在哪里？", "我叫什么名字？")


def test_a_name_never_told_is_not_invented(guide):
    assert "not told" in talk(guide, "what is my name?")


@pytest.mark.parametrize(
    ("prompt", "category"),
    [
        ("请将以下新闻分类为体育、科技、政治、娱乐之一：苹果公司发布了新款手机。", "科技"),
        ("请将以下新闻分类为政治、娱乐、体育、科技之一，只输出类别：中国女排3比0击败日本队。", "体育"),
        ("以下新闻属于哪一类：1. 体育 2. 科技 3. 政治 4. 娱乐\n总理会见来访的外国元首。", "政治"),
        (
            "Classify as sports, technology, politics or entertainment: The singer won a Grammy.",
            "entertainment",
        ),
    ],
)
def test_a_news_line_is_sorted_with_the_category_alone(guide, prompt, category):
    assert talk(guide, prompt) == category


def test_there_means_the_city_that_was_asked_about(guide):
    assert "dim sum" in talk(guide, "Tell me about Guangzhou", "what is good to eat there?")
    assert "早茶" in talk(guide, "介绍一下广州", "它有什么好吃的美食吗？")


def test_a_follow_up_refers_to_the_last_answer(guide):
    assert "8 GB" in talk(guide, "How much memory does the 7B model need?", "and in 8 bits?")


def test_what_is_beyond_it_is_declined_with_the_way_to_a_bigger_model(guide):
    for request in (
        "write a python function that sorts a list",
        "what is 17*23",
        "who is the president of France",
    ):
        assert "--model Qwen/Qwen2.5-7B-Instruct" in talk(guide, request)


def test_it_says_what_it_is(guide):
    assert "tiny" in talk(guide, "who are you?", system="You are a helpful assistant.")
    assert "不是" in talk(guide, "你是ChatGPT吗")


def test_the_other_language_is_used_when_asked_for(guide):
    assert "温度" in talk(guide, "What is temperature?", "in Chinese please")
