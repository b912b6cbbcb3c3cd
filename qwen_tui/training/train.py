"""Trains the guide: `python -m qwen_tui.training.train --out FOLDER`.

Reads the corpus, learns the tokenizer, trains the model for a given time, saves the folder and prints the score on
the held-out questions. On one H200 the default takes about eight minutes in all.
"""

import argparse
import math
import time
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import Qwen2ForCausalLM

from qwen_tui.training.architecture import build_model, save_model
from qwen_tui.training.batches import LEARNT, Supply
from qwen_tui.training.conversations import Conversations
from qwen_tui.training.names import HAN
from qwen_tui.training.screen_words import ScreenWords, of_the_program
from qwen_tui.training.tokenizer import save_tokenizer, train_tokenizer

LISTENING = 0.05
"""Weight of the person's tokens in the loss, against 1 for the guide's."""


def tokenizer_texts(words: ScreenWords, conversations: int, seed: int) -> list[str]:
    """Return what the tokenizer is learnt from: conversations, and every common Chinese character."""
    source, rng = Conversations(words), Random(seed)
    texts = [HAN] * 45
    for _ in range(conversations):
        system, turns = source.draw(rng, 6)
        texts.append(system)
        for asked, answered in turns:
            texts += (asked, answered) if rng.random() < 0.15 else (asked,)
    return texts


def loss_of(model: Qwen2ForCausalLM, batch: Tensor) -> Tensor:
    """Return the mean loss of `batch` `[B, T]`, marked tokens weighing 1 and the others `LISTENING`."""
    tokens = batch % LEARNT
    weights = torch.where(batch >= LEARNT, 1.0, LISTENING) * (tokens != 0)
    hidden = model.model(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state
    logits = model.lm_head(hidden).float()
    losses = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    weights = weights[:, 1:].flatten()
    return (losses * weights).sum() / weights.sum()


def optimizer_for(model: Qwen2ForCausalLM, device: str) -> torch.optim.Optimizer:
    """Return AdamW with decay on matrices only."""
    matrices = [weight for weight in model.parameters() if weight.ndim == 2]
    vectors = [weight for weight in model.parameters() if weight.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), eps=1e-8, fused=device == "cuda")


def rate(step: int, progress: float, peak: float, warm_up: int) -> float:
    """Return the learning rate: a linear rise, a plateau, then a fall to zero over the last 60 % of the time."""
    rise = min(1.0, (step + 1) / warm_up)
    fall = 1.0 if progress < 0.4 else 0.5 * (1 + math.cos(math.pi * (progress - 0.4) / 0.6))
    return peak * rise * fall


def train(model: Qwen2ForCausalLM, supply: Supply, arguments: argparse.Namespace) -> None:
    """Train for `arguments.seconds`, counted from the first finished pair of steps (compiling is not counted)."""
    device: str = arguments.device
    optimizer = optimizer_for(model, device)
    measure = torch.compile(loss_of, dynamic=False) if arguments.compile else loss_of
    seen, step, started, recent = 0, 0, time.monotonic(), []
    for batch in supply.batches():
        progress = (time.monotonic() - started) / arguments.seconds
        if step == 2:
            print(f"first steps after {time.monotonic() - started:.0f} s", flush=True)
            started, progress = time.monotonic(), 0.0
        if progress >= 1:
            break
        tokens = torch.from_numpy(batch.astype("int64")).to(device, non_blocking=True)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, progress, arguments.rate, 150)
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = measure(model, tokens)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen, step = seen + tokens.numel(), step + 1
        recent.append(loss.detach())
        if step % 100 == 0:
            mean = torch.stack(recent).mean().item()
            recent.clear()
            pace = seen / (time.monotonic() - started) / 1e6
            print(
                f"step {step} · {progress:.0%} · loss {mean:.4f} · {pace:.2f} M tokens/s · "
                f"{supply.fresh} fresh batches, {supply.reused} again",
                flush=True,
            )
    print(f"trained {step} steps on {seen / 1e6:.0f} M tokens", flush=True)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--start", type=Path, help="model folder to go on from, instead of from nothing")
    parser.add_argument(
        "--words", type=Path, help="names on the screen, as screen_words.py wrote them elsewhere"
    )
    parser.add_argument("--seconds", type=float, default=360, help="how long to train")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=14, help="processes that write conversations")
    parser.add_argument("--tokens", type=int, default=131072, help="tokens in a batch")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--conversations", type=int, default=40000, help="how many the tokenizer is learnt from"
    )
    parser.add_argument("--layers", type=int, default=8, help="fewer only to try the script out")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=torch.cuda.is_available())
    parser.add_argument("--evaluate", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def main() -> None:
    """Make the guide from nothing."""
    arguments = parse()
    torch.manual_seed(arguments.seed)
    torch.set_float32_matmul_precision("high")
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    words = ScreenWords.read(arguments.words) if arguments.words else of_the_program()
    if arguments.start:
        save_tokenizer(Tokenizer.from_file(str(arguments.start / "tokenizer.json")), folder)
    else:
        save_tokenizer(
            train_tokenizer(tokenizer_texts(words, arguments.conversations, arguments.seed)), folder
        )
        print(f"tokenizer learnt in {time.monotonic() - began:.0f} s", flush=True)
    supply = Supply(folder / "tokenizer.json", words, arguments.workers, arguments.tokens, arguments.seed)
    model = build_model(arguments.layers).to(arguments.device)
    if arguments.start:
        started = Qwen2ForCausalLM.from_pretrained(arguments.start, dtype=torch.float32)
        model.load_state_dict(started.state_dict())
    print(f"{model.num_parameters():,} parameters", flush=True)
    try:
        train(model, supply, arguments)
    finally:
        supply.close()
    save_model(model, folder)
    if arguments.evaluate:
        from qwen_tui.training.evaluate import report

        report(folder, arguments.device)


if __name__ == "__main__":
    main()
