# One image for web, worker and beat; docker-compose.yml says which is which. Python packages come from the
# hash-locked list, the program writes nothing of its own, and its user owns none of its files.
FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/venv
COPY requirements/base.txt /tmp/base.txt
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/base.txt

# Debian's release is named because of its PostgreSQL programs, which dump and restore: 15, as the server
FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /srv/chatlead chatlead \
    && install -d -o chatlead -g chatlead /var/lib/chatlead
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/chatlead
COPY . .
RUN python -m compileall -q .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CHATLEAD_DATA_DIR=/var/lib/chatlead
USER chatlead
VOLUME /var/lib/chatlead
EXPOSE 8000
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000"]
