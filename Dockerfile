# The playground's libraries, which the binary embeds.
FROM node:22-alpine AS assets
WORKDIR /src/internal/server/pages
COPY internal/server/pages/package.json internal/server/pages/package-lock.json internal/server/pages/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY internal/server/pages ./
RUN npm run --silent build

FROM golang:1.26-alpine AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=assets /src/internal/server/pages/assets/npm internal/server/pages/assets/npm
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /tributary ./cmd/tributary

# The image holds the static binary and certificates only: Postgres is a container of its own.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /tributary /tributary
EXPOSE 8080
ENTRYPOINT ["/tributary"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--data-dir", "/tmp/tributary"]
