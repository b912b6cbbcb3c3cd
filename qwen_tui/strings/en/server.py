"""English sentences and errors of models that run on a server."""

SENTENCES: dict[str, str] = {
    "header.stage.connecting": "connecting to the server",
    "server.window_assumed": (
        "The server does not report its context window; assuming {tokens:,} {tokens:token|tokens}. "
        "Set “Context window” to change this."
    ),
    "server.key_in_the_clear": (
        "The API key is sent to {host} unencrypted; anyone on the network path can read it. "
        "Use https or an ssh tunnel."
    ),
    "server.not_taken": "Not supported by {kind} and ignored: {names}.",
    "server.uncertain": "This server may ignore: {names}.",
    "server.tries_again": (
        "{host} is not responding. Retrying in {seconds:.0f} s (attempt {attempt} of {attempts})."
    ),
    "server.tries_busy_again": (
        "{host} is busy (HTTP {status}). Retrying in {seconds:.0f} s (attempt {attempt} of {attempts})."
    ),
    "welcome.server": "{name}, served at {host} ({kind}).",
    "welcome.server.window": "Context window {window:,} tokens · your messages are sent to that server",
    "welcome.estimated": "The server does not count tokens; counts marked ≈ are estimates.",
    "receipt.server": "Server",
    "receipt.not_taken": "Not supported",
}

_SAVED = "The reply so far is saved. "

ERRORS: dict[str, tuple[str, str, str]] = {
    "server.bad_address": (
        "Not a server address",
        "“{address}” is not the address of a server.",
        "Use an address such as http://gpubox:8000.",
    ),
    "server.password_in_address": (
        "Credentials in the address",
        "{address} contains a user name or password, which would be stored in settings and receipts.",
        "Remove it, and put the API key in QWEN_TUI_API_KEY.",
    ),
    "server.bad_key": (
        "Invalid API key",
        "The API key contains a space or characters that cannot be sent.",
        "Set {variable} to the key alone.",
    ),
    "server.unreachable": (
        "Cannot reach the server",
        "Cannot connect to {host}: {detail}.",
        "Check that the server is running and that the address and port are correct, then try again.",
    ),
    "server.environment": (
        "Cannot prepare the connection",
        "The proxy or certificate settings in the environment are not valid: {detail}.",
        "Correct or unset HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or SSL_CERT_FILE, and start again.",
    ),
    "server.bad_certificate": (
        "Untrusted certificate",
        "This machine does not trust the certificate of {host}: {detail}.",
        "Set SSL_CERT_FILE to the certificate of its authority and start again, or use an ssh tunnel.",
    ),
    "server.no_memory": (
        "Memory unknown",
        "The model runs on {host}, which does not report what is in its memory.",
        "Load a model on this machine to see its memory.",
    ),
    "server.no_lens": (
        "Layers unknown",
        "The model runs on {host}, which does not show what its layers compute.",
        "Load a model on this machine to see its layers.",
    ),
    "server.no_tls": (
        "No https on this server",
        "{host} does not answer over https: {detail}.",
        "Try the address with http:// instead.",
    ),
    "server.no_answer": (
        "No answer from the server",
        "{host} accepted the request but sent no readable answer: {detail}.",
        "Try again. If this continues, check the address: the port may belong to another program or need https://.",
    ),
    "server.stalled": (
        "The server stopped responding",
        "{host} stopped responding in the middle of the reply.",
        _SAVED + "Continue or regenerate it.",
    ),
    "server.silent": (
        "No answer from the server",
        "{host} accepted the request but did not answer.",
        "It may still be loading its model: try again later, or check its log.",
    ),
    "server.key_wanted": (
        "API key required",
        "{host} did not accept the API key, or none was sent: {detail}.",
        "Set {variable} to the key of this server and start again.",
    ),
    "server.forbidden": (
        "Access denied",
        "{host} denied access: {detail}.",
        "Check that the API key in {variable} may use this model.",
    ),
    "server.not_found": (
        "Not found on the server",
        "{host} did not find what was requested: {detail}.",
        "Check the model name and the address, which must not include /v1/chat/completions.",
    ),
    "server.no_such_model": (
        "Model not on this server",
        "{host} does not serve {model}.",
        "Choose one that it serves: {models}.",
    ),
    "server.which_model": (
        "No model given",
        "{host} does not list its models.",
        "Name one with --model.",
    ),
    "server.redirects": (
        "The server redirects",
        "{host} redirects to {place}; redirects are not followed.",
        "If you trust that address, set it as the server.",
    ),
    "server.busy": (
        "The server is busy",
        "{host} accepts no more requests at the moment: {detail}.",
        "Try again later.",
    ),
    "server.behind_gateway": (
        "The server is not ready",
        "{host} cannot answer yet: {detail}.",
        "It may still be starting: try again later.",
    ),
    "server.refused": (
        "The server rejected the request",
        "{host} rejected the request: {detail}.",
        "Change the setting that it names, or lower “Memory in tokens” in the settings.",
    ),
    "server.too_long": (
        "Too long for the server",
        "{host} rejected the request: {detail}.",
        "Regenerate to send less history. If that is not enough, lower “Memory in tokens” in the settings.",
    ),
    "server.failed": (
        "The server failed",
        "{host} answered with error {status}: {detail}.",
        _SAVED + "Try again, or check the server's log.",
    ),
    "server.error": (
        "The server failed",
        "{host} aborted the reply: {detail}.",
        _SAVED + "Regenerate it, or check the server's log.",
    ),
    "server.broke_off": (
        "Connection lost",
        "{host} closed the connection before the reply was complete.",
        _SAVED + "Continue or regenerate it.",
    ),
    "server.garbled": (
        "Not a chat server",
        "The answer from {host} does not follow the OpenAI chat protocol.",
        "Check the address. Supported servers: vLLM, SGLang, llama.cpp, Ollama and transformers serve.",
    ),
    "server.cannot_branch": (
        "Cannot branch on this server",
        "This kind of server ({kind}) cannot begin a reply with given tokens.",
        "Load a model on this machine to branch from a token.",
    ),
    "server.cannot_continue": (
        "Cannot continue the reply",
        "This kind of server ({kind}) does not support continuing a reply.",
        "Regenerate it, or write “go on”.",
    ),
    "server.cannot_continue_thinking": (
        "Cannot continue the reply",
        "The reply was cut off during thinking; this kind of server ({kind}) cannot continue from there.",
        "Regenerate it.",
    ),
    "replay.on_server": (
        "Cannot replay",
        "The server did not report the tokens of this reply, so there is nothing to compare.",
        "Regenerate it to see another reply.",
    ),
}
