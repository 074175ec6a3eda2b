# meshproof without Python on the host: docker run --rm -v "$PWD:/work" meshproof test
# Without a network: put the wheels into wheelhouse/ (pip download -d wheelhouse . setuptools).
# BASE is a glibc image, since Envoy has no build for musl, with python3 and venv.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /source
COPY . .
RUN if [ -d wheelhouse ]; then set -- --no-index --find-links "$PWD/wheelhouse"; fi; \
    python3 -m venv /opt/meshproof \
    && /opt/meshproof/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile \
        "$@" . \
    && /opt/meshproof/bin/pip uninstall --yes setuptools pip

FROM ${BASE}
COPY --from=build /opt/meshproof /opt/meshproof
ENV PATH=/opt/meshproof/bin:$PATH
RUN useradd --create-home --uid 65532 meshproof
USER 65532
WORKDIR /work
ENTRYPOINT ["meshproof"]
CMD ["test"]
