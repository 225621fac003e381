"""scim2-server's application over the storage that comes with it, which is memory: nothing is durable.

One process, because the storage is the process's own. Gunicorn serves it instead of wsgiref, which
closes each connection.
"""

from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_provider

scim = BearerTokenApplication(
    InMemoryStorage(), load_default_provider(), bearer_tokens=["bench"]
)


def application(environ, start_response):
    """Says how long the answer is, which Gunicorn would else send in chunks."""
    head = []
    body = b"".join(scim(environ, lambda *line: head.extend(line)))
    status, headers = head[:2]
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]
