"""The catalogue's metrics of one process, as Prometheus scrapes them."""

from collections.abc import Callable, Iterable, Sequence

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from concord.errors import Misconfigured
from concord.telemetry.metrics import CATALOGUE, Kind, Metric


class Metrics:
    """Holds a value per metric and labels. May be used from several threads."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter
        self.registry = CollectorRegistry()
        self._refresh = _BeforeScrape()
        self.registry.register(self._refresh)
        self._held = {name: _collector(metric, self.registry) for name, metric in CATALOGUE.items()}

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """A counter grows. With 0 its series begins."""
        self._series(metric, labels).inc(amount)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """A gauge is at ``value``."""
        series = self._series(metric, labels)
        assert isinstance(series, Gauge)
        series.set(value)

    def value(self, metric: Metric, *labels: str) -> float | None:
        """Its value now, None if it was never given one."""
        return self.registry.get_sample_value(metric.name, dict(zip(metric.labels, labels, strict=True)))

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """``refresh`` is called whenever somebody asks, before the answer is made."""
        self._refresh.calls.append(refresh)

    def text(self) -> str:
        """What a scrape is answered."""
        return generate_latest(self.registry).decode()

    def serve(self, host: str, port: int) -> Callable[[], None]:
        """Answer scrapes until the function returned is called. Raises :class:`Misconfigured` if the port is taken."""
        try:
            server, thread = prometheus_client.start_http_server(port, addr=host, registry=self.registry)
        except OSError as error:
            hint = "stop that process, or set telemetry.metrics_port in the profile"
            raise Misconfigured(f"metrics cannot be served at {host}:{port}: {error.strerror}", hint) from error

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop

    def _series(self, metric: Metric, labels: Sequence[str]) -> Counter | Gauge:
        held = self._held[metric.name]
        return held.labels(*labels) if metric.labels else held


class _BeforeScrape(Collector):
    """The registry asks its collectors in the order of their registration: this one first."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def collect(self) -> Iterable[Family]:
        for call in self.calls:
            call()
        return ()


def _collector(metric: Metric, registry: CollectorRegistry) -> Counter | Gauge:
    match metric.kind:
        case Kind.COUNTER:
            return Counter(metric.name, metric.help, metric.labels, registry=registry)
        case Kind.GAUGE:
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)
