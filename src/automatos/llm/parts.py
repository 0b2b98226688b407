"""The parts of this process that the room's routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from automatos.credentials.service import Keyring, OfferedModels
from automatos.llm.service import ModelClient


async def get_model_client(request: Request) -> ModelClient:
    """Return this process's model client."""
    return request.app.state.models


async def get_keyring(request: Request) -> Keyring:
    """Return this process's keyring."""
    return request.app.state.keyring


async def get_offered_models(request: Request) -> OfferedModels:
    """Return what this process knows of the models that providers offer."""
    return request.app.state.offered


AppModels = Annotated[ModelClient, Depends(get_model_client)]
AppKeyring = Annotated[Keyring, Depends(get_keyring)]
AppOfferedModels = Annotated[OfferedModels, Depends(get_offered_models)]
