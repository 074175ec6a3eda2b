# meshproof without Python on the host: docker run --rm -v "$PWD:/work" meshproof test
# A glibc image: Envoy has no build for musl.
FROM python:3.12-slim AS build
COPY . /source
RUN python -m venv /opt/meshproof \
    && /opt/meshproof/bin/pip install --no-cache-dir --no-compile /source \
    && /opt/meshproof/bin/pip uninstall --yes pip

FROM python:3.12-slim
COPY --from=build /opt/meshproof /opt/meshproof
ENV PATH=/opt/meshproof/bin:$PATH
RUN useradd --create-home --uid 65532 meshproof
USER 65532
WORKDIR /work
ENTRYPOINT ["meshproof"]
CMD ["test"]
