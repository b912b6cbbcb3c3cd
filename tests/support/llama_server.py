"""llama.cpp's server in a process of its own: python llama_server.py PORT GGUF_FILE CONTEXT_WINDOW"""

import signal
import sys

from xllamacpp import CommonParams, Server

parameters = CommonParams()
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(sys.argv[1])
parameters.model.path = sys.argv[2]
parameters.api_prefix = "/llm"  # as behind a proxy that serves several things
parameters.n_ctx = int(sys.argv[3])
parameters.n_parallel = 1
parameters.cpuparams.n_threads = 2
server = Server(parameters)
signal.pause()
