"""How soon a live source gives pictures again when what it lacked is there again.

    python -m tests.pipeline.healing

measures each kind of fault at three lengths and prints the longest time of each as a table.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from typing import Any, Final

from semc_core.errors import SemcError
from semc_core.imaging.quality import FROZEN_AFTER_S
from semc_core.pipeline.live import LivePipeline
from semc_core.sources.base import FrameSource
from semc_core.sources.devices.script import Event, Script, ScriptedDevice
from semc_core.sources.devices.simulated import SimulatedDevices
from semc_core.sources.live.camera import CameraSource
from semc_core.sources.live.stream import StreamSource
from semc_core.types import FramePacket, FrameResult
from tests.pipeline.live_scans import new_engine, scripted, stop_all
from tests.pipeline.scripted import probabilities
from tests.sources.rtsp_server import rtsp_server
from tests.sources.test_stream import camera_server, free_udp_port, send_to, sending

AWAY_S: Final = (1.0, 3.0, 7.0)
OF_CARDS: Final = ("unplug", "fail", "hang", "no_signal", "freeze")
GOALS_S: Final = {"unplug": 3.0, "fail": 3.0, "hang": 3.0}
_GOAL_S: Final = 2.0
_WAIT_S: Final = 60.0


class Watched:
    """A scan whose results are watched: when the last live one came before a moment, and the first after."""

    def __init__(self, source: Callable[[], FrameSource], *, judged: bool) -> None:
        """Begin; `judged` counts only pictures that the scan takes for live ones."""
        self._judged = judged
        self._engine: LivePipeline[Any] = new_engine(source, scripted(lambda _: probabilities("NSP", 0.9)))
        self._changed = threading.Condition()
        self._live_s: list[float] = []
        self._engine.start()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def first_after(self, moment_s: float) -> float:
        """When the first live picture after a moment came, `time.monotonic()`."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self._live_s) and self._live_s[-1] > moment_s, _WAIT_S)
            return next(one for one in self._live_s if one > moment_s)

    def longest_gap(self, least_s: float) -> tuple[float, float]:
        """The first stretch of so long without a live picture, once it is over."""

        def found() -> tuple[float, float] | None:
            pairs = zip(self._live_s, self._live_s[1:], strict=False)
            return next(((a, b) for a, b in pairs if b - a > least_s), None)

        with self._changed:
            gap: tuple[float, float] | None = self._changed.wait_for(found, _WAIT_S)
            assert gap is not None
            return gap

    def end(self) -> None:
        """End the scan."""
        self._engine.stop(timeout_s=30)
        self._thread.join()
        stop_all()

    def _watch(self) -> None:
        with suppress(SemcError, Exception):
            while True:
                packet = self._next()
                if packet is not None:
                    with self._changed:
                        self._live_s.append(packet.captured_s)
                        self._changed.notify_all()

    def _next(self) -> FramePacket | None:
        """The next picture; None where it is no live one."""
        if not self._judged:
            return self._engine.preview.get()
        result: FrameResult = self._engine.results.get()
        return result.packet if result.picture == "live" else None


def of_card(what: str, away_s: float) -> float:
    """Seconds from the end of a fault of a card to its first live picture."""
    event: Any = Event(25, what, away_s, number=3, card="bars")  # type: ignore[arg-type]
    card = ScriptedDevice(identity="card@1", modes=("160x120@50,yuyv",), content="count", events=(event,))
    scan = Watched(lambda: CameraSource("card@1", system=SimulatedDevices(Script((card,)))), judged=True)
    try:
        # That a picture stands still is known late: so long it is still a live one.
        without_s = away_s - (FROZEN_AFTER_S if what == "freeze" else 0)
        last_s, first_s = scan.longest_gap(0.8 * without_s)
        return max(0.0, first_s - last_s - without_s)
    finally:
        scan.end()


def of_stream(
    url: str, sender: Callable[[bool], Any], away_s: float, vanish: Callable[[bool], None] | None = None
) -> float:
    """Seconds from when a sender is there again to the first picture.

    Args:
        url: Of the stream.
        sender: Makes the sender, as a context; told whether it is the one that comes back.
        away_s: How long it is away.
        vanish: Told True instead of killing the sender, and False when it comes back.
    """
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        first.enter_context(sender(False))
        scan = Watched(lambda: StreamSource(url), judged=False)
        stack.callback(scan.end)
        scan.first_after(0)
        time.sleep(0.5)
        if vanish is None:
            first.close()
        else:
            vanish(True)
        time.sleep(away_s)
        back_s = time.monotonic()
        if vanish is None:
            stack.enter_context(sender(True))
        else:
            vanish(False)
        return scan.first_after(back_s) - back_s


class Proxy:
    """Between a sender and who asks it: can vanish, so that connections stay open and carry nothing."""

    def __init__(self, port: int) -> None:
        self._to, self._over, self._gone = port, threading.Event(), 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def vanish(self, gone: bool) -> None:
        """Carry nothing any more; or, for whoever asks from now on, again."""
        self._gone += 1 if gone else 0
        self._blocked = gone

    _blocked = False

    def close(self) -> None:
        """End it."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _accept(self) -> None:
        self._listening.settimeout(0.05)
        while not self._over.is_set():
            with suppress(TimeoutError):
                taken, _ = self._listening.accept()
                self._threads.append(threading.Thread(target=self._carry, args=(taken, self._blocked)))
                self._threads[-1].start()

    def _carry(self, taken: socket.socket, dead: bool) -> None:
        born = self._gone
        with closing(taken), socket.create_connection(("127.0.0.1", self._to)) as sender:
            sides = {taken: sender, sender: taken}
            for side in sides:
                side.settimeout(0.02)
            while not self._over.is_set():
                for side, other in sides.items():
                    with suppress(TimeoutError):
                        try:
                            data = side.recv(65536)
                            if data and not dead and born == self._gone:
                                other.sendall(data)
                        except OSError as error:
                            if not isinstance(error, TimeoutError):
                                return
                            raise
                        if not data:
                            return


@contextmanager
def proxied(sender: Callable[[int], Any]) -> Iterator[Proxy]:
    """A proxy before a sender that serves at port 0."""
    with sender(0) as port, closing(Proxy(port)) as proxy:
        yield proxy


def _rtsp(port: int, first: int = 0) -> Any:
    return rtsp_server(port, lambda url, over: send_to(url, "rtp_mpegts", over, first))


def _http(port: int, first: int = 0) -> Any:
    return camera_server(port, first)


def killed(scheme: str, away_s: float) -> float:
    """Of a sender that is killed and begun again."""
    port = free_udp_port()
    if scheme == "udp":
        return of_stream(f"udp://127.0.0.1:{port}", lambda again: sending(port, 128 * again), away_s)
    serve, path = (_rtsp, "scan") if scheme == "rtsp" else (_http, "video.mjpg")
    return of_stream(f"{scheme}://127.0.0.1:{port}/{path}", lambda again: serve(port, 128 * again), away_s)


def vanished(scheme: str, away_s: float) -> float:
    """Of a sender whose connection stays open and carries nothing, and who answers anew afterwards."""
    serve, path = (_rtsp, "scan") if scheme == "rtsp" else (_http, "video.mjpg")
    with proxied(serve) as proxy:
        url = f"{scheme}://127.0.0.1:{proxy.port}/{path}"
        return of_stream(url, lambda again: ExitStack(), away_s, proxy.vanish)


KINDS: Final[dict[str, Callable[[float], float]]] = {
    **{f"card: {what}": partial(of_card, what) for what in OF_CARDS},
    **{f"{name} killed": partial(killed, name) for name in ("udp", "http", "rtsp")},
    **{f"{name} vanished": partial(vanished, name) for name in ("http", "rtsp")},
}


def main(only: Sequence[str] = ()) -> int:
    """Measure and print. Returns 0 if every kind is healed within its goal, else 1."""
    late = 0
    print("| fault | away for | pictures again after | goal |\n|---|---|---|---|", flush=True)
    for name, measure in KINDS.items():
        if only and not any(word in name for word in only):
            continue
        found = [measure(away_s) for away_s in AWAY_S]
        goal_s = GOALS_S.get(name.removeprefix("card: "), _GOAL_S)
        late += max(found) > goal_s
        away = ", ".join(f"{away_s:g}" for away_s in AWAY_S)
        took = ", ".join(f"{one:.1f}" for one in found)
        print(f"| {name} | {away} s | {took} s | {goal_s:g} s |", flush=True)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
