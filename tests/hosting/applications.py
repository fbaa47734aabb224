# SPDX-License-Identifier: MIT
"""Two applications that know nothing of us, and answer with the variables or headers they were called with."""
import http.server
import json
import os
import socketserver
import struct
import threading

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


def read_pairs(data):
	at, found = 0, {}

	def length():
		nonlocal at
		size, at = (data[at], at + 1) if data[at] < 128 else (struct.unpack_from("!I", data, at)[0] & 0x7fffffff, at + 4)
		return size

	while at < len(data):
		name_len, value_len = length(), length()
		found[data[at:at + name_len].decode()] = data[at + name_len:at + name_len + value_len].decode()
		at += name_len + value_len
	return found


class FastCgi(socketserver.StreamRequestHandler):
	"""One request of one connection."""
	def handle(self):
		params, body, done = b"", b"", set()
		while done != {PARAMS, STDIN}:
			head = self.rfile.read(8)
			if len(head) < 8:
				return
			_, kind, request, size, padding = struct.unpack("!BBHHBx", head)
			content = self.rfile.read(size + padding)[:size]
			if kind == PARAMS:
				params += content
			if kind == STDIN:
				body += content
			if kind in (PARAMS, STDIN) and size == 0:
				done.add(kind)
		answer = json.dumps({"variables": read_pairs(params), "body": len(body)}).encode()
		for kind, content in ((STDOUT, b"Content-Type: application/json\r\n\r\n" + answer), (STDOUT, b""), (END, bytes(8))):
			self.wfile.write(struct.pack("!BBHHBB", 1, kind, request, len(content), 0, 0) + content)


class Http(http.server.BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"

	def answer(self):
		body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
		answer = json.dumps({"headers": self.headers.items(), "body": len(body)}).encode()
		self.send_response(200)
		self.send_header("Content-Type", "application/json")
		self.send_header("Content-Length", str(len(answer)))
		self.end_headers()
		if self.command != "HEAD":
			self.wfile.write(answer)

	do_GET = do_HEAD = do_POST = do_OPTIONS = do_PUT = do_DELETE = answer

	def log_message(self, *_):
		pass


class FastCgiServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
	daemon_threads = True


class HttpServer(http.server.ThreadingHTTPServer):
	daemon_threads = True


class Applications:
	"""Both, until stop()."""
	def __init__(self, socket_path, port):
		self.servers = [FastCgiServer(socket_path, FastCgi), HttpServer(("127.0.0.1", port), Http)]
		os.chmod(socket_path, 0o777)
		self.threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True) for server in self.servers]
		for thread in self.threads:
			thread.start()

	def stop(self):
		for server, thread in zip(self.servers, self.threads):
			server.shutdown()
			thread.join()
			server.server_close()
