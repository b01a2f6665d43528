# The hub as an image.  Built in two stages; glibc on purpose (some database drivers have no musl wheels).
#   docker build -t supervision-exchange-hub .
#   docker build --build-arg BASE=registry.example/python:3.13-slim --build-arg PIP_INDEX_URL=https://mirror.example/simple .
# Settings are mounted at /etc/hub/hub.toml; the hub keeps its state under /var/lib/hub.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
# A site's mirror; it stays in this stage and is not part of the image.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/hub \
    && /opt/hub/bin/python -m pip install --require-hashes -r requirements.lock
RUN python -m venv /opt/build \
    && /opt/build/bin/python -m pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md ./
COPY standards standards
COPY mappings mappings
COPY adapters adapters
COPY hub hub
COPY monitor monitor
COPY demo demo
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist \
    && /opt/hub/bin/python -m pip install --no-deps --no-index /dist/*.whl

FROM ${BASE}
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/hub --shell /usr/sbin/nologin hub \
    && mkdir -p /var/lib/hub /etc/hub \
    && chown hub:hub /var/lib/hub
COPY --from=build /opt/hub /opt/hub
ENV PATH=/opt/hub/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HUB_CONFIG=/etc/hub/hub.toml \
    HUB_HUB__STATE=/var/lib/hub \
    HUB_API__HOST=0.0.0.0 \
    HUB_API__PORT=8080
USER hub
WORKDIR /var/lib/hub
VOLUME /var/lib/hub
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["hub", "serve"]
