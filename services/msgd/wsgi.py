"""What gunicorn loads: ``services.msgd.wsgi:app``."""

from services.common.boot import boot
from services.msgd.app import create_app
from services.msgd.settings import Settings

app = boot(Settings.from_env, create_app)
