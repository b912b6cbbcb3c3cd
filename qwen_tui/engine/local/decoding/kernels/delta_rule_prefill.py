"""Linear attention by the gated delta rule for many tokens: what `delta_rule` does for one.

The tokens are read in chunks (Yang et al., "Gated Delta Networks", 2024). Within a chunk, what each token changes
in the state depends on the tokens before it by a triangular system, solved for all chunks in parallel; then the
state goes through the chunks in order; then the outputs are computed in parallel. Sums are in float32, products in
TF32, in three passes where errors would add up.
"""

import torch
import triton
import triton.language as tl

CHUNK = 64
"""Tokens in a chunk."""

VALUES = 32
"""Elements of a value head per program that goes through the chunks."""

PART = 32
"""Elements of a head that are multiplied at a time, so that the operands fit in a small GPU's shared memory."""


def recur(
    mixed: torch.Tensor,
    projected: torch.Tensor,
    decay: torch.Tensor,
    bias: torch.Tensor,
    state: torch.Tensor,
    norm_weight: torch.Tensor,
    eps: float,
    key_heads: int,
) -> torch.Tensor:
    """Write T tokens to the `state` (1, H, K, V) of each value head, and return what they read, (T, H * V).

    The arguments are those of `delta_rule.recur`, with a row for each token in `mixed` and `projected`.
    """
    chunked = Chunked(mixed, projected, decay, bias, state, norm_weight, eps, key_heads)
    chunked.solve()
    chunked.pass_on()
    return chunked.read()


class Chunked:
    """The three steps of `recur`, with what they leave for each other."""

    def __init__(
        self,
        mixed: torch.Tensor,
        projected: torch.Tensor,
        decay: torch.Tensor,
        bias: torch.Tensor,
        state: torch.Tensor,
        norm_weight: torch.Tensor,
        eps: float,
        key_heads: int,
    ) -> None:
        self._mixed, self._projected, self._state = mixed, projected, state
        self._gains = decay, bias
        self._norm = norm_weight, eps
        heads, key_dim, value_dim = state.shape[1:]
        self._chunks = triton.cdiv(mixed.shape[0], CHUNK)
        rows = self._chunks * CHUNK
        self._sums = state.new_empty(heads, rows, dtype=torch.float32)
        self._reads = state.new_empty(heads, rows, key_dim, dtype=torch.float32)
        self._changes = state.new_empty(heads, rows, value_dim, dtype=torch.float32)
        self._states = state.new_empty(self._chunks, heads, key_dim, value_dim, dtype=torch.float32)
        self._sizes = {
            "HEADS": heads,
            "KEY_HEADS": key_heads,
            "KEY_DIM": key_dim,
            "VALUE_DIM": value_dim,
            "CHUNK": CHUNK,
            "PART": min(PART, key_dim, value_dim),
        }
        self._strides = mixed.stride(0), projected.stride(0)

    def solve(self) -> None:
        """Solve each chunk's system: what each token changes, and what of the state it reads."""
        tokens, heads = self._mixed.shape[0], self._sizes["HEADS"]
        results = self._sums, self._reads, self._changes
        _solve[(self._chunks, heads)](
            self._mixed,
            self._projected,
            *self._gains,
            *results,
            tokens,
            *self._strides,
            **self._sizes,
            num_warps=4,
        )

    def pass_on(self) -> None:
        """Take the state through the chunks."""
        values = min(VALUES, self._sizes["VALUE_DIM"])
        _pass_on[(self._sizes["HEADS"], self._sizes["VALUE_DIM"] // values)](
            self._mixed,
            self._sums,
            self._reads,
            self._changes,
            self._state,
            self._states,
            self._mixed.shape[0],
            self._strides[0],
            **self._sizes,
            VALUES=values,
            num_stages=1,
            num_warps=4,
        )

    def read(self) -> torch.Tensor:
        """Return what the tokens read, (T, H * V)."""
        tokens, heads = self._mixed.shape[0], self._sizes["HEADS"]
        out = self._mixed.new_empty(tokens, heads * self._sizes["VALUE_DIM"])
        _read[(self._chunks, heads)](
            self._mixed,
            self._projected,
            self._sums,
            self._changes,
            self._states,
            self._norm[0],
            out,
            self._norm[1],
            tokens,
            *self._strides,
            **self._sizes,
            num_stages=2,
            num_warps=8,
        )
        return out


@triton.jit
def _inverse_norms(source, stride, token, is_there, KEY_DIM: tl.constexpr):
    """Return one over the length of each token's vector."""
    at = tl.arange(0, KEY_DIM)[None, :]
    vectors = tl.load(source + token[:, None] * stride + at, mask=is_there[:, None], other=0.0).to(tl.float32)
    return tl.rsqrt(tl.sum(vectors * vectors, 1) + 1e-6)


@triton.jit
def _part(source, stride, token, is_there, factors, start, PART: tl.constexpr):
    """Return some elements of each token's vector, times its factor: (CHUNK, PART)."""
    at = start + tl.arange(0, PART)[None, :]
    vectors = tl.load(source + token[:, None] * stride + at, mask=is_there[:, None], other=0.0)
    return vectors.to(tl.float32) * factors[:, None]


@triton.jit(do_not_specialize=["tokens"])
def _solve(
    mixed,
    projected,
    decay,
    bias,
    sums,
    reads,
    changes,
    tokens,
    mixed_stride,
    projected_stride,
    HEADS: tl.constexpr,
    KEY_HEADS: tl.constexpr,
    KEY_DIM: tl.constexpr,
    VALUE_DIM: tl.constexpr,
    CHUNK: tl.constexpr,
    PART: tl.constexpr,
):
    """Compute for a chunk, as if the state were zero: what each token changes, and what of the state it reads."""
    chunk = tl.program_id(0)
    head = tl.program_id(1)
    key_head = head // (HEADS // KEY_HEADS)
    place = tl.arange(0, CHUNK)
    token = chunk * CHUNK + place
    is_there = token < tokens
    gates = projected + token * projected_stride + (2 * KEY_HEADS * KEY_DIM + HEADS * VALUE_DIM)
    written = tl.load(gates + HEADS * VALUE_DIM + head, mask=is_there, other=0.0).to(tl.float32)
    written = tl.where(is_there, tl.sigmoid(written), 0.0)
    slowness = tl.load(gates + HEADS * (VALUE_DIM + 1) + head, mask=is_there, other=0.0).to(tl.float32)
    slowness += tl.load(bias + head).to(tl.float32)
    # softplus, which equals its argument where exp would overflow
    softplus = tl.where(slowness > 20.0, slowness, tl.log(1.0 + tl.exp(tl.minimum(slowness, 20.0))))
    kept = -tl.exp(tl.load(decay + head).to(tl.float32)) * softplus
    total = tl.cumsum(tl.where(is_there, kept, 0.0), 0)
    tl.store(sums + head * tl.num_programs(0) * CHUNK + token, total)

    keys = mixed + (KEY_HEADS + key_head) * KEY_DIM
    inverse = _inverse_norms(keys, mixed_stride, token, is_there, KEY_DIM)
    # How much token j changes what a later token i changes, at (j, i).
    links = tl.zeros((CHUNK, CHUNK), tl.float32)
    for start in tl.range(0, KEY_DIM, PART):
        key = _part(keys, mixed_stride, token, is_there, inverse, start, PART)
        links = tl.dot(key, tl.trans(key * written[:, None]), links, input_precision="tf32x3")
    is_earlier = place[:, None] < place[None, :]
    links *= tl.exp(tl.where(is_earlier, total[None, :] - total[:, None], 0.0))
    links = tl.where(is_earlier, links, 0.0)
    # Forward substitution, row by row: the inverse of the unit triangular matrix.
    solved = tl.where(place[:, None] == place[None, :], 1.0, 0.0)
    for row in range(1, CHUNK):
        link = tl.sum(tl.where(place[None, :] == row, links, 0.0), 1)
        change = tl.sum(link[:, None] * solved, 0)
        solved -= tl.where(place[:, None] == row, change[None, :], 0.0)

    at_row = head * tl.num_programs(0) * CHUNK + token[:, None]
    strength = inverse * written * tl.exp(total)
    for start in tl.range(0, KEY_DIM, PART):
        key = _part(keys, mixed_stride, token, is_there, strength, start, PART)
        read = tl.dot(solved, key, input_precision="tf32x3")
        tl.store(reads + at_row * KEY_DIM + start + tl.arange(0, PART)[None, :], read)
    values = mixed + 2 * KEY_HEADS * KEY_DIM + head * VALUE_DIM
    for start in tl.range(0, VALUE_DIM, PART):
        value = _part(values, mixed_stride, token, is_there, written, start, PART)
        change = tl.dot(solved, value, input_precision="tf32x3")
        tl.store(changes + at_row * VALUE_DIM + start + tl.arange(0, PART)[None, :], change)


@triton.jit(do_not_specialize=["tokens"])
def _pass_on(
    mixed,
    sums,
    reads,
    changes,
    state,
    states,
    tokens,
    mixed_stride,
    HEADS: tl.constexpr,
    KEY_HEADS: tl.constexpr,
    KEY_DIM: tl.constexpr,
    VALUE_DIM: tl.constexpr,
    CHUNK: tl.constexpr,
    PART: tl.constexpr,
    VALUES: tl.constexpr,
):
    """Carry some columns of a head's state through the chunks; note it before each, and correct the changes."""
    head = tl.program_id(0)
    keys = mixed + (KEY_HEADS + head // (HEADS // KEY_HEADS)) * KEY_DIM
    column = tl.program_id(1) * VALUES + tl.arange(0, VALUES)[None, :]
    at_key = tl.arange(0, KEY_DIM)
    tile = (head * KEY_DIM + at_key[:, None]) * VALUE_DIM + column
    memory = tl.load(state + tile).to(tl.float32)
    chunks = (tokens + CHUNK - 1) // CHUNK
    for chunk in range(0, chunks):
        tl.store(states + chunk * HEADS * KEY_DIM * VALUE_DIM + tile, memory)
        token = chunk * CHUNK + tl.arange(0, CHUNK)
        is_there = token < tokens
        at_row = head * chunks * CHUNK + token
        read = tl.load(reads + at_row[:, None] * KEY_DIM + at_key[None, :])
        change = tl.load(changes + at_row[:, None] * VALUE_DIM + column)
        change -= tl.dot(read, memory, input_precision="tf32x3")
        tl.store(changes + at_row[:, None] * VALUE_DIM + column, change)
        total = tl.load(sums + at_row)
        last = tl.load(sums + (head * chunks + chunk) * CHUNK + CHUNK - 1)
        key = tl.load(
            keys + token[:, None] * mixed_stride + at_key[None, :], mask=is_there[:, None], other=0.0
        )
        key = key.to(tl.float32)
        key *= (tl.rsqrt(tl.sum(key * key, 1) + 1e-6) * tl.exp(last - total))[:, None]
        memory = tl.dot(tl.trans(key), change, memory * tl.exp(last), input_precision="tf32x3")
    tl.store(state + tile, memory)


@triton.jit(do_not_specialize=["tokens"])
def _read(
    mixed,
    projected,
    sums,
    changes,
    states,
    norm_weight,
    out,
    eps,
    tokens,
    mixed_stride,
    projected_stride,
    HEADS: tl.constexpr,
    KEY_HEADS: tl.constexpr,
    KEY_DIM: tl.constexpr,
    VALUE_DIM: tl.constexpr,
    CHUNK: tl.constexpr,
    PART: tl.constexpr,
):
    """Read the state before a chunk and the changes in it; then RMSNorm and the output gate."""
    chunk = tl.program_id(0)
    head = tl.program_id(1)
    key_head = head // (HEADS // KEY_HEADS)
    place = tl.arange(0, CHUNK)
    token = chunk * CHUNK + place
    is_there = token < tokens
    at_row = head * tl.num_programs(0) * CHUNK + token
    total = tl.load(sums + at_row)
    queries = mixed + key_head * KEY_DIM
    keys = mixed + (KEY_HEADS + key_head) * KEY_DIM
    scale = _inverse_norms(queries, mixed_stride, token, is_there, KEY_DIM) * (KEY_DIM**-0.5)
    inverse = _inverse_norms(keys, mixed_stride, token, is_there, KEY_DIM)
    column = tl.arange(0, VALUE_DIM)[None, :]
    memory = states + (chunk * HEADS + head) * KEY_DIM * VALUE_DIM
    shares = tl.zeros((CHUNK, CHUNK), tl.float32)
    read = tl.zeros((CHUNK, VALUE_DIM), tl.float32)
    for start in tl.range(0, KEY_DIM, PART):
        query = _part(queries, mixed_stride, token, is_there, scale, start, PART)
        key = _part(keys, mixed_stride, token, is_there, inverse, start, PART)
        shares = tl.dot(query, tl.trans(key), shares, input_precision="tf32")
        before = tl.load(memory + (start + tl.arange(0, PART)[:, None]) * VALUE_DIM + column)
        read = tl.dot(query * tl.exp(total)[:, None], before, read, input_precision="tf32")
    is_seen = place[:, None] >= place[None, :]
    shares *= tl.exp(tl.where(is_seen, total[:, None] - total[None, :], 0.0))
    shares = tl.where(is_seen, shares, 0.0)
    change = tl.load(changes + at_row[:, None] * VALUE_DIM + column)
    read = tl.dot(shares, change, read, input_precision="tf32")
    read *= tl.rsqrt(tl.sum(read * read, 1) / VALUE_DIM + eps)[:, None]
    gates = projected + token[:, None] * projected_stride + (2 * KEY_HEADS * KEY_DIM + HEADS * VALUE_DIM)
    gate = tl.load(gates + head * VALUE_DIM + column, mask=is_there[:, None], other=0.0).to(tl.float32)
    read *= tl.load(norm_weight + column).to(tl.float32) * gate * tl.sigmoid(gate)
    tl.store(
        out + token[:, None] * (HEADS * VALUE_DIM) + head * VALUE_DIM + column, read, mask=is_there[:, None]
    )
