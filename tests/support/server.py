"""A server of a folder, as `python -m http.server` is, that tells what was asked of it."""

import contextlib
import functools
import http.server
import threading


class Served:
    """What a server was asked for: each path, and how many bytes it sent, head and file."""

    def __init__(self, url):
        self.url = url
        self.asked = []

    def __len__(self):
        return len(self.asked)

    @property
    def names(self):
        return {path.rsplit("/", 1)[-1] for path, _ in self.asked}

    @property
    def size(self):
        return sum(size for _, size in self.asked)


@contextlib.contextmanager
def serve(folder):
    """Serve a folder on this machine."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self):
            self.head = sum(map(len, self._headers_buffer)) + len(b"\r\n")
            super().end_headers()

        def copyfile(self, source, target):
            content = source.read()
            served.asked.append((self.path.split("?")[0], self.head + len(content)))
            target.write(content)

        def log_message(self, *words):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        served = Served(f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
