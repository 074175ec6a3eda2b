"""What gunicorn loads: ``services.svca.wsgi:app``."""

from services.common.boot import boot
from services.svca.app import create_app
from services.svca.settings import Settings

app = boot(Settings.from_env, create_app)
