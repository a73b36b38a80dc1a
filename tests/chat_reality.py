#!/usr/bin/env python3
"""The sample chat service, played against a real server.

Usage: chat_reality.py SERVER DIRECTORY

Starts SERVER with its data in DIRECTORY, plays, captures the replication stream into DIRECTORY/capture.aof (the
snapshot, then the commands, as a replica gets them), stops the server, and prints as one line of JSON what the server
answered. Ends with status 3 when the client library is missing.
"""

import json
import socket
import subprocess
import sys
import time

try:
    import redis
except ImportError:
    sys.exit(3)

MARK = b"the end of the play"


class Chat:
    """A chat service in six functions."""

    def __init__(self, client):
        self.r = client

    def login(self, user):
        self.r.sadd("online_users", user)
        self.set_user_status(user, 1)

    def logout(self, user):
        self.r.srem("online_users", user)
        self.set_user_status(user, 0)

    def set_user_status(self, user, score):
        self.r.zadd("user_status", {user: score})

    def send_message(self, sender, recipient, body):
        message = {"sender": sender, "recipient": recipient, "body": body, "time": time.time()}
        text = json.dumps(message, ensure_ascii=False)
        for user in (sender, recipient):
            self.r.rpush(f"chat_history:{user}", text)
        self.r.publish("chat", text)

    def get_chat_history(self, user):
        return [json.loads(text) for text in self.r.lrange(f"chat_history:{user}", 0, -1)]

    def get_online_users(self):
        return self.r.zrange("user_status", 0, -1, withscores=True)


class Capture:
    """A replica that writes down what it is sent."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(b"SYNC\r\n")
        self.data = b""
        while b"\n" not in self.data.lstrip(b"\n"):
            self.more()
        length, self.data = self.data.lstrip(b"\n").split(b"\r\n", 1)
        self.snapshot = int(length[1:])
        while len(self.data) < self.snapshot:
            self.more()

    def more(self):
        got = self.socket.recv(1 << 16)
        if not got:
            raise RuntimeError("the server hung up")
        self.data += got

    def until_mark(self):
        while MARK not in self.data or not self.data.endswith(b"\r\n"):
            self.more()
        return self.data


def start(server, directory):
    path = f"{directory}/socket"
    options = "--port 0 --save --appendonly yes --appendfsync always --aof-timestamp-enabled yes --repl-diskless-sync no"
    command = [server, *options.split(" "), "--unixsocket", path, "--dir", directory]
    command.insert(command.index("--save") + 1, "")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=path, decode_responses=True)
    for _ in range(200):
        try:
            if client.ping():
                return process, client, path
        except redis.ConnectionError:
            time.sleep(0.025)
    raise RuntimeError("the server does not start")


def play(client):
    chat = Chat(client)
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("chat")
    listener.get_message(timeout=1)
    for user in ("alice", "bob", "carol"):
        chat.login(user)
    chat.send_message("alice", "bob", "hi bob 👋")
    chat.send_message("bob", "alice", "Grüße! \"quoted\"\nand a second line \x1b[31m")
    chat.send_message("carol", "dave", "are you there? 日本語")
    time.sleep(1.1)
    before_logout = time.time()
    time.sleep(1.1)
    chat.logout("bob")
    chat.logout("dave")
    chat.send_message("alice", "bob", "gone already?")
    pushed = []
    while message := listener.get_message(timeout=0.2):
        pushed.append(json.loads(message["data"]))
    return {
        "before_logout": before_logout,
        "online": sorted(client.smembers("online_users")),
        "statuses": chat.get_online_users(),
        "histories": {user: chat.get_chat_history(user) for user in ("alice", "bob", "carol", "dave")},
        "pushed": pushed,
    }


def main():
    server, directory = sys.argv[1:]
    process, client, path = start(server, directory)
    try:
        capture = Capture(path)
        answers = play(client)
        client.publish("elsewhere", MARK)
        with open(f"{directory}/capture.aof", "wb") as file:
            file.write(capture.until_mark())
        client.shutdown(nosave=True)
    finally:
        process.kill()
        process.wait()
    print(json.dumps(answers))


main()
