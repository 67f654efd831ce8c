"""packaging/nginx/pool.conf: nginx runs with it, over TLS, before services on loopback."""

import asyncio
import re
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from pool_processes import free_port
from tls_certificates import self_signed

CONFIGURATION = Path(__file__).parents[2] / "packaging" / "nginx" / "pool.conf"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
PORTS = {"master": 8080, "ah0": 8081, "paymaker": 8082, "bh0": 8083}
_NAME = web.AppKey("name", str)

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


async def _answer(request: web.Request) -> web.Response:
    """What a service got."""
    body = await request.read()
    return web.json_response(
        {
            "path": request.path,
            "size": len(body),
            "for": request.headers["X-Forwarded-For"],
            "service": request.app[_NAME],
        }
    )


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of nginx, which runs with the configuration before four services."""
    text = CONFIGURATION.read_text()
    runners = []
    for name, port in PORTS.items():
        app = web.Application(client_max_size=1 << 26)
        app[_NAME] = name
        app.router.add_route("*", "/{path:.*}", _answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        text = text.replace(f"127.0.0.1:{port};", f"127.0.0.1:{runner.addresses[0][1]};")
    certificate, _ = self_signed(tmp_path)
    plain, tls = free_port(), free_port()
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl;")
    text = re.sub(r"(ssl_certificate +)\S+;", rf"\g<1>{certificate};", text)
    text = re.sub(r"(ssl_certificate_key +)\S+;", rf"\g<1>{tmp_path / 'rpc.key'};", text)
    (tmp_path / "pool.conf").write_text(text)
    paths = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr warn; events {{}}\n"
        f"http {{ access_log off; {paths} include {tmp_path}/pool.conf; }}\n"
    )
    assert NGINX is not None
    process = await asyncio.create_subprocess_exec(
        NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")
    )
    context = ssl.create_default_context(cafile=certificate)
    connector = aiohttp.TCPConnector(ssl=context)
    try:
        async with aiohttp.ClientSession(f"https://127.0.0.1:{tls}", connector=connector) as client:
            async with asyncio.timeout(30):
                while not await _is_up(tls):  # noqa: ASYNC110 - nginx does not say
                    await asyncio.sleep(0.02)
            yield client
    finally:
        process.terminate()
        await process.wait()
        for runner in runners:
            await runner.cleanup()


async def _is_up(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/master/config.json", "master"),
        ("/ah0/anns/index.json", "ah0"),
        ("/bh0/health", "bh0"),
        ("/paymaker/whotopay", "paymaker"),
        ("/paymaker/events", "paymaker"),
    ],
)
async def test_each_service_gets_its_requests_with_their_path(
    proxy: aiohttp.ClientSession, path: str, service: str
) -> None:
    async with proxy.get(path, headers={"X-Forwarded-For": "192.0.2.1"}) as reply:
        got = await reply.json()

    assert (got["service"], got["path"]) == (service, path)
    assert got["for"] == "192.0.2.1, 127.0.0.1"


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/ah0/submit", (1 << 20) + 1024, 200),
        ("/ah0/submit", (1 << 20) + 1025, 413),
        ("/bh0/submit", 1 << 16, 200),
        ("/bh0/submit", (1 << 16) + 1, 413),
        ("/paymaker/events", 1 << 25, 200),
        ("/master/config.json", 1025, 413),
    ],
)
async def test_bodies_have_the_limits_of_the_services(
    proxy: aiohttp.ClientSession, path: str, size: int, status: int
) -> None:
    async with proxy.post(path, data=bytes(size)) as reply:
        assert reply.status == status


async def test_uploads_in_chunks_arrive(proxy: aiohttp.ClientSession) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield bytes(1024)

    async with proxy.post("/ah0/submit", data=chunks()) as reply:
        assert (await reply.json())["size"] == 1 << 20


@pytest.mark.parametrize("service", PORTS)
async def test_metrics_are_not_for_the_world(proxy: aiohttp.ClientSession, service: str) -> None:
    async with proxy.get(f"/{service}/metrics") as reply:
        assert reply.status == 404


async def test_the_name_alone_leads_to_the_master(proxy: aiohttp.ClientSession) -> None:
    async with proxy.get("/", allow_redirects=False) as reply:
        assert reply.headers["Location"].endswith("/master/")
