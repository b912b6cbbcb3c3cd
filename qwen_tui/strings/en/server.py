"""English sentences and errors of models that a server holds."""

SENTENCES: dict[str, str] = {
    "header.stage.connecting": "asking the server",
    "server.window_assumed": (
        "The server does not tell how many tokens its model can see; {tokens:,} are assumed. "
        "The setting “Context window” says otherwise."
    ),
    "server.key_in_the_clear": (
        "The API key goes to {host} unencrypted: who is on the way can read it. Use https, or an ssh tunnel."
    ),
    "server.not_taken": "{kind} does not take {names}: the reply is made without.",
    "server.uncertain": "This server was sent {names}, and may not heed that.",
    "server.tries_again": (
        "{host} does not answer now. Asking again in {seconds:.0f} s (attempt {attempt} of {attempts})."
    ),
    "server.tries_busy_again": (
        "{host} is busy (HTTP {status}). Asking again in {seconds:.0f} s (attempt {attempt} of {attempts})."
    ),
    "welcome.server": "{name}, served by {kind} at {host}.",
    "welcome.server.window": "context window {window:,} tokens; what you write goes to that server",
    "welcome.estimated": "The server does not count tokens: figures with ≈ are estimates.",
    "receipt.server": "Server",
    "receipt.not_taken": "Not taken",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "server.bad_address": (
        "Not a server's address",
        "“{address}” is not an address of a server.",
        "Give one such as http://gpubox:8000.",
    ),
    "server.password_in_address": (
        "A password in the address",
        "{address} holds a name or password, which would be kept in settings and receipts.",
        "Leave it out, and put a key into QWEN_TUI_API_KEY.",
    ),
    "server.bad_key": (
        "Not a usable API key",
        "The API key holds a space, or characters that cannot be sent.",
        "Set {variable} to the key alone.",
    ),
    "server.unreachable": (
        "No server there",
        "Nothing answers at {host}: {detail}.",
        "Check that the server runs and that the address and the port are right; load the model again to retry.",
    ),
    "server.environment": (
        "The connection cannot be prepared",
        "What the environment says of proxies or certificates does not work: {detail}.",
        "Correct or unset HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or SSL_CERT_FILE, and start again.",
    ),
    "server.bad_certificate": (
        "The certificate is not trusted",
        "{host} shows a certificate that this machine does not trust: {detail}.",
        "Set SSL_CERT_FILE to its authority's certificate and start again, or use an ssh tunnel.",
    ),
    "server.no_tls": (
        "No https there",
        "{host} does not answer by https: {detail}.",
        "Try the address with http:// instead.",
    ),
    "server.no_answer": (
        "No answer",
        "{host} took the request and gave no answer that can be read: {detail}.",
        "Try again; if it stays so, check the address: the port may be another program's, or want https://.",
    ),
    "server.stalled": (
        "The server fell silent",
        "{host} stopped in the middle of the reply.",
        "What was written is kept. Continue it, or regenerate it.",
    ),
    "server.silent": (
        "The server is silent",
        "{host} took the request and did not answer.",
        "It may still be loading its model: try again in a while, or look at its log.",
    ),
    "server.key_wanted": (
        "The server wants an API key",
        "{host} did not accept the request: {detail}.",
        "Set {variable} to its key and start again.",
    ),
    "server.forbidden": (
        "The server refuses",
        "{host} does not allow this: {detail}.",
        "Check that the API key in {variable} may use this model.",
    ),
    "server.not_found": (
        "Not there",
        "{host} does not know what was asked for: {detail}.",
        "Check the address (it ends before /v1/chat/completions) and the model's name.",
    ),
    "server.no_such_model": (
        "The server does not have this model",
        "{host} does not serve {model}.",
        "It serves: {models}.",
    ),
    "server.which_model": (
        "Which model?",
        "{host} does not tell which models it serves.",
        "Name one with --model.",
    ),
    "server.redirects": (
        "The server is elsewhere",
        "{host} sends on to {place}.",
        "Use that address, if you trust it: an API key is not sent on.",
    ),
    "server.busy": (
        "The server is busy",
        "{host} takes no more requests now: {detail}.",
        "Try again in a while.",
    ),
    "server.behind_gateway": (
        "The server is not ready",
        "{host} could not answer: {detail}.",
        "It may still be starting: try again in a while.",
    ),
    "server.refused": (
        "The server refused the request",
        "{host} says: {detail}.",
        "Change what it names, or send less history.",
    ),
    "server.too_long": (
        "Too long for the server",
        "{host} says: {detail}.",
        "Answer again: less history is sent then. If that is not enough, set “Memory in tokens” in the settings.",
    ),
    "server.failed": (
        "The server failed",
        "{host} answered with the error {status}: {detail}.",
        "What was written is kept. Try again; the server's log has more.",
    ),
    "server.error": (
        "The server failed",
        "{host} broke the reply off with: {detail}.",
        "What was written is kept. Regenerate it, or look at the server's log.",
    ),
    "server.broke_off": (
        "The connection broke off",
        "{host} ended the reply before it was finished.",
        "What was written is kept. Continue it, or regenerate it.",
    ),
    "server.garbled": (
        "Not a chat server",
        "What {host} answered is not of the OpenAI chat protocol.",
        "Check the address: it is that of vLLM, SGLang, llama.cpp, Ollama or transformers serve.",
    ),
    "server.cannot_continue": (
        "Cannot be continued",
        "{kind} has no way to continue a reply.",
        "Regenerate it, or write “go on”.",
    ),
    "server.cannot_continue_thinking": (
        "Cannot be continued",
        "It was cut off while the model was thinking, and {kind} has no way to continue that.",
        "Regenerate it.",
    ),
    "replay.on_server": (
        "Cannot be replayed",
        "This reply came from a server, which does not tell its tokens.",
        "Regenerate it to see another answer.",
    ),
}
