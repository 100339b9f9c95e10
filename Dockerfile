# One image for every part: workers, the dashboard, and the command line itself.
#
#   docker build -t signalbox .
#   docker run --rm signalbox --help
#
# Where images cannot be pulled, name one that is there, with Node 20.12 or newer on Debian:
#   docker build --build-arg NODE_IMAGE=registry.internal/node:20-bookworm-slim -t signalbox .
ARG NODE_IMAGE=node:20-bookworm-slim

# With everything that development needs.
FROM ${NODE_IMAGE} AS build
WORKDIR /build
# The packages are a layer of their own, made anew only when the lock file changes.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

# What production needs of the packages.
FROM build AS production
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
# git and ssh reach the remotes; tini hands signals on and takes care of orphans as process 1. setpriv and unshare, which
# part steps from the worker, are in Debian's base.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 signalbox \
  && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin signalbox \
  && install --directory --owner=signalbox --group=signalbox /data /etc/signalbox
COPY --from=production /build/package.json /app/
COPY --from=production /build/node_modules /app/node_modules
COPY --from=production /build/dist /app/dist
RUN ln -s /app/dist/src/cli/main.js /usr/local/bin/signalbox && signalbox --version
ENV NODE_ENV=production SIGNALBOX_DATA=/data HOME=/home/signalbox
# By number, so that an orchestrator can tell that it is not root.
USER 10001:10001
# Mirrors, checkouts, logs and artifacts: the only place that is written to, beside /tmp. Each worker has its own.
VOLUME /data
# A signalbox.yaml that is mounted here is found.
WORKDIR /etc/signalbox
ENTRYPOINT ["tini", "--", "signalbox"]
CMD ["worker"]
