# A node in a container. The node directory is /node/.crossbar: mount yours there, read-only if you like, or copy it into an image that
# begins `FROM` this one. What the node keeps (cookies) lies in /state, which is a volume; what only it needs in /run/crossbar-ts.
#
#     docker build -t crossbar-ts .
#     docker run --read-only --tmpfs /run/crossbar-ts:uid=65532,mode=0700 -v ./.crossbar:/node/.crossbar:ro -v state:/state -p 8080:8080 crossbar-ts
#
# The heap of Node.js should know the limit of the container: 75 % of it, in MiB.
#
#     docker run --memory 512m -e NODE_OPTIONS=--max-old-space-size=384 ...

FROM node:22-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build
RUN npm pack --ignore-scripts --pack-destination /tmp
RUN npm install --global --prefix /opt/crossbar-ts --omit=dev --no-audit --no-fund /tmp/crossbar-ts-*.tgz

FROM node:22-slim
COPY --from=build /opt/crossbar-ts /usr/local
# By number: Kubernetes takes no name for proof that it is not root.
RUN mkdir -p /node/.crossbar /state /run/crossbar-ts && chown 65532:65532 /node/.crossbar /state /run/crossbar-ts
ENV NODE_ENV=production CROSSBAR_DIR=/node/.crossbar CROSSBAR_RUNDIR=/run/crossbar-ts CROSSBAR_STATEDIR=/state
USER 65532:65532
WORKDIR /node
VOLUME ["/state"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["crossbar-ts", "status", "--assert", "ready"]
ENTRYPOINT ["crossbar-ts"]
CMD ["start"]
