"""Lets Schemathesis send the lines of a batch as they are."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    return str(value).encode("utf-8", "surrogatepass")
