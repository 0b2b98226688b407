"""The parts of this process that the package's routes ask for."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from automatos.credentials.service import Keyring, OfferedModels
from automatos.kernel.services import services_of
from automatos.llm.service import ModelClient


class ModelServices(Protocol):
    """What is needed of the process."""

    models: ModelClient
    keyring: Keyring
    offered: OfferedModels


async def get_model_client(request: Request) -> ModelClient:
    """Return this process's model client."""
    return services_of(request, ModelServices).models


async def get_keyring(request: Request) -> Keyring:
    """Return this process's keyring."""
    return services_of(request, ModelServices).keyring


async def get_offered_models(request: Request) -> OfferedModels:
    """Return what this process knows of the models that providers offer."""
    return services_of(request, ModelServices).offered


AppModels = Annotated[ModelClient, Depends(get_model_client)]
AppKeyring = Annotated[Keyring, Depends(get_keyring)]
AppOfferedModels = Annotated[OfferedModels, Depends(get_offered_models)]
