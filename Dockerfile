# One image, every role: `docker run linnet up | worker | api | migrate`.
FROM node:24.21.0-bookworm-slim AS install
WORKDIR /linnet
COPY package.json package-lock.json .npmrc ./
# Node comes with the base image, and Postgres is another container: neither is needed from npm.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 LINNET_DATA=/data LINNET_CONFIG=/config/linnet.yaml
# As `up` starts its own (bin/lean-process.ts).
ENV NODE_OPTIONS=--max-semi-space-size=8 MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /linnet
RUN mkdir /data compile-cache && chown node:node /data compile-cache
COPY --from=install /linnet/node_modules ./node_modules
COPY . .
USER node
# What `up` does at its first start (bin/compile-ahead.ts), under a root that can't be written later.
ENV NODE_COMPILE_CACHE=/linnet/compile-cache
RUN touch "compile-cache/done-$(node --import ./bin/load-roles.ts bin/main.ts --version)"
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["node", "bin/linnet.mjs"]
CMD ["api"]
