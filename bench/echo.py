"""The app of the scale measurement: answers every request with its own name, on a Unix socket.

``python -I -S echo.py SOCKET``. A Flask process takes half a second of processor time to start; a
hundred of them would be all that one measures. This one imports next to nothing.
"""

import os
import select
import socket
import sys


def main() -> None:
    name = os.environ.get("HOSTNAME", "").encode()
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(name), name)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[1])
    listener.listen(64)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    connections = {}
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                connection, _ = listener.accept()
                connections[connection.fileno()] = connection
                poll.register(connection, select.POLLIN)
                continue
            try:
                request = connections[fd].recv(65536)
                if request:
                    connections[fd].sendall(answer * request.count(b"\r\n\r\n"))
                    continue
            except OSError:
                pass
            poll.unregister(fd)
            connections.pop(fd).close()


if __name__ == "__main__":
    main()
