"""Pushes to each token of the command line: PORT CA KEY TOKEN... Prints status and reason of each answer."""

import asyncio
import ssl
import sys
from pathlib import Path

from aioapns import APNs, NotificationRequest
from aioapns.connection import APNsProductionClientProtocol

port, ca, key_file, *tokens = sys.argv[1:]
APNsProductionClientProtocol.APNS_SERVER = "localhost"
APNsProductionClientProtocol.APNS_PORT = int(port)


async def main() -> None:
    client = APNs(
        key=Path(key_file).read_text(),
        key_id="KEYID12345",
        team_id="TEAMID1234",
        topic="org.example.app",
        ssl_context=ssl.create_default_context(cafile=ca),
    )
    for token in tokens:
        request = NotificationRequest(device_token=token, message={"aps": {"alert": "hello"}})
        answer = await client.send_notification(request)
        print(answer.status, answer.description or "")


asyncio.run(main())
