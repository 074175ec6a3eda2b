"""What gunicorn loads: ``services.svcb.wsgi:app``."""

from services.common.boot import boot
from services.svcb.app import create_app
from services.svcb.settings import Settings

app = boot(Settings.from_env, create_app)
