"""What schemathesis has to be told of application/x-ndjson: the schema is that of a line."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def one_line(ctx, value):
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer("application/x-ndjson")
def last_line(ctx, response):
    lines = response.content.decode().splitlines()
    return json.loads(lines[-1])
