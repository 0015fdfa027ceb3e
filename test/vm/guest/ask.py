"""In the virtual machine, for test/vm/guest/units: asks scriptd, and prints the answer.

GET PATH | RUN CODE | SUBMIT CODE | IS ID STATE | FIELD JSON NAME | ISOLATION
"""

import json
import sys
import urllib.request

SERVICE = "http://127.0.0.1:5000"
# The machine is emulated.
TIMEOUT_SECONDS = 240


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SERVICE + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        return answer.read().decode()


def submit(code, wait):
    return ask("/v1/tasks" + wait, {"type": "python", "code": code, "limits": {"wallMs": 120000}})


def main(what, *args):
    if what == "GET":
        print(ask(*args))
    elif what == "RUN":
        task = submit(args[0], "?wait=120")
        print(task)
        return json.loads(task).get("outcome") != "success"
    elif what == "SUBMIT":
        print(json.loads(submit(args[0], ""))["id"])
    elif what == "IS":
        return json.loads(ask("/v1/tasks/" + args[0]))["state"] != args[1]
    elif what == "FIELD":
        print(json.loads(args[0])[args[1]])
    elif what == "ISOLATION":
        [worker] = json.loads(ask("/v1/workers"))["workers"]
        level, layers = worker["isolation"]["level"], worker["isolation"]["layers"]
        print(level, *(name for name in layers if name == "cgroup"))
    return 0


sys.exit(main(*sys.argv[1:]))
