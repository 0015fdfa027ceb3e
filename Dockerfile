# scriptd with its native addons, Python, Node and bash, on any Debian image that has Node 20.17 or newer:
#
#   docker build --tag scriptd .
#   docker build --tag scriptd --build-arg BASE=node:24-trixie-slim .
#
# How it is run, and what it needs for each isolation level: docs/OPERATIONS.md
ARG BASE=node:22-bookworm-slim

FROM ${BASE} AS build
RUN for tool in g++ make python3 strip; do command -v $tool || missing=yes; done; \
  if [ -n "$missing" ]; then \
    apt-get update && apt-get install --yes --no-install-recommends g++ make python3; \
  fi
WORKDIR /src
# Apart from the rest, so that they are installed again only when they are others.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run compile && node scripts/production.mjs /out

FROM ${BASE}
RUN for tool in python3 tini; do command -v $tool || missing=yes; done; \
  if [ -n "$missing" ]; then \
    apt-get update && apt-get install --yes --no-install-recommends python3 tini && \
    rm -rf /var/lib/apt/lists/* || exit 1; \
  fi; \
  groupadd --gid 5000 scriptd && \
  useradd --uid 5000 --gid 5000 --home-dir /var/lib/scriptd --no-create-home \
    --shell /usr/sbin/nologin scriptd && \
  install --directory --mode 0700 --owner scriptd --group scriptd /var/lib/scriptd && \
  ln -s ../lib/scriptd/bin/scriptd /usr/bin/scriptd
COPY --from=build /out /usr/lib/scriptd
USER scriptd
# Reached from outside of the container: so it wants tokens, or to be told that something else guards
# it (SCRIPTD_AUTH=false).
ENV SCRIPTD_HOST=0.0.0.0 SCRIPTD_DEBUG_HOST=0.0.0.0 SCRIPTD_DATA_DIR=/var/lib/scriptd
WORKDIR /var/lib/scriptd
VOLUME /var/lib/scriptd
EXPOSE 5000 5001
# Runs the first process's chores; scripts leave orphans to it.
ENTRYPOINT ["tini", "--", "scriptd"]
CMD ["up"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
  ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SCRIPTD_PORT ?? 5000}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
